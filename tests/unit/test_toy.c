#include "support/assert.h"
#include "support/toy.h"

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(toy_scores_and_loss),
        cmocka_unit_test(toy_learns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
