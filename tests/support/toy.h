/* The toy check of the course reports: 4 inputs, 10 hidden ReLU, 3 classes, 5 samples. Runs in float and in double; both
 * compare with the figures that the reports print. */
#ifndef TG_SUPPORT_TOY_H
#define TG_SUPPORT_TOY_H

void toy_scores_and_loss(void **state);
void toy_gradients(void **state);
void toy_learns(void **state);

#endif
