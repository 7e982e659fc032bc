/* How many digits a number needs. */
#ifndef TG_BASE_PRECISION_H
#define TG_BASE_PRECISION_H

/* The fewest significant decimal digits, 1 to 17, that read back as the same finite double. */
int tg_precision(double value);

#endif
