/* cmocka, and an assertion that prints the sentence of the error it did not expect. */
#ifndef TG_TESTS_ASSERT_H
#define TG_TESTS_ASSERT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/check.h"

/* The call must fill in a tg_error named `err`. */
#define ASSERT_OK(call)                                                                                      \
    do {                                                                                                     \
        tg_status assert_status = (call);                                                                    \
        if (assert_status != TG_OK) fail_msg("%s", sentence(assert_status, &err));                           \
    } while (0)

#define ASSERT_FAILS(call, expected_status, expected_sentence)                                               \
    do {                                                                                                     \
        tg_status assert_status = (call);                                                                    \
        assert_string_equal(sentence(assert_status, &err), expected_sentence);                               \
        assert_int_equal(assert_status, expected_status);                                                    \
    } while (0)

#endif
