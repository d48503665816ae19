/* What all numbers of lanes share, and the choice among them. */

#include "orientation_kernel.h"

#include <math.h>

static const double SLOW_S = 0.5; /* low-pass whose deviations tell a rest */
static const double FIELD_FADE_S = 60.0, FIELD_FOLLOW_S = 20.0;

void orientation_prepare(struct orientation_coefficients *c,
                         const struct orientation_parameters *p, double rate_hz)
{
    c->p = *p;
    c->dt = 1.0 / rate_hz;
    c->step_samples = (int)fmax(1.0, floor(p->step_s * rate_hz + 0.5));
    c->T = c->step_samples * c->dt;
    c->jolt2 = p->jolt_noise * p->jolt_noise;
    c->slow_gain = 1.0 - exp(-c->dt / SLOW_S);
    c->rise = 1.0 - exp(-c->T / p->wander_rise_s);
    c->fall = 1.0 - exp(-c->T / p->wander_fall_s);
    c->field_fade = exp(-c->T / FIELD_FADE_S);
    c->field_follow = 1.0 - exp(-c->T / FIELD_FOLLOW_S);
}

extern const struct orientation_kernel orientation_kernel_4;
#if defined(__x86_64__) && defined(__GNUC__)
extern const struct orientation_kernel orientation_kernel_8;
#endif

const struct orientation_kernel *orientation_kernel_for(ptrdiff_t sensors)
{
#if defined(__x86_64__) && defined(__GNUC__)
    if (sensors > 4 && __builtin_cpu_supports("avx512f"))
        return &orientation_kernel_8;
#endif
    (void)sensors;
    return &orientation_kernel_4;
}
