/* The filter itself, for LANES sensors at a time: compiled once for each number of lanes, by
   orientation_lanes4.c and orientation_lanes8.c, which also say for which processors. */

#include "orientation_sample.h"
#include "orientation_step.h"

static void begin(void *state, const struct orientation_coefficients *c)
{
    struct orientation_state *s = state;
    const struct orientation_parameters *p = &c->p;
    memset(s, 0, sizeof *s);
    EACH_LANE {
        s->q[0][l] = 1.0;
        forget(s, c, l, 0.0);
        for (int i = 0; i < 3; i++)
            s->covariance[AT(BIAS + i, BIAS + i)][l] = p->bias_sd * p->bias_sd;
        for (int i = 0; i < 9; i++) {
            double sd = i % 4 ? p->misalignment_sd : p->scale_sd;
            s->covariance[AT(MISMATCH + i, MISMATCH + i)][l] = sd * sd;
        }
    }
}

INLINE void give_out(const struct orientation_state *s, double delay_s, ptrdiff_t used,
                     double *out)
{
    for (ptrdiff_t l = 0; l < used; l++) {
        double w = s->q[0][l], x = s->q[1][l], y = s->q[2][l], z = s->q[3][l];
        if (delay_s != 0.0) { /* q exp(rate delay) = conj(exp(-rate delay) conj(q)) */
            double a = w, b = -x, d = -y, e = -z;
            turn_by(-s->rate[0][l] * delay_s, -s->rate[1][l] * delay_s, -s->rate[2][l] * delay_s,
                    &a, &b, &d, &e);
            w = a, x = -b, y = -d, z = -e;
        }
        out[4 * l] = w, out[4 * l + 1] = x, out[4 * l + 2] = y, out[4 * l + 3] = z;
    }
}

/* Not static: the loader can choose among versions of public functions only. */
VERSIONS
ptrdiff_t RUN(void *state, const struct orientation_coefficients *c,
              const struct orientation_samples *in, ptrdiff_t first, ptrdiff_t from,
              ptrdiff_t to, double *quaternions, void *records)
{
    struct orientation_state *s = state;
    struct orientation_record *record = records;
    struct tick t = {0};
    const int with_mag = in->mag != 0;
    const ptrdiff_t used = in->k - first < LANES ? in->k - first : LANES;
    ptrdiff_t steps = 0;
    for (ptrdiff_t i = from; i < to; i++) {
        load(&t, in, i, first);
        double waiting = 0.0;
        EACH_LANE waiting += 1.0 - s->started[l] + (s->gap_s[l] > LOST_AFTER_S ? 1.0 : 0.0);
        if (waiting > 0.0)
            start(s, c, &t);
        if (with_mag)
            integrate(s, c, &t, 1);
        else
            integrate(s, c, &t, 0);
        EACH_LANE s->samples[l] += 1.0;
        if (s->samples[0] >= c->step_samples) {
            if (record)
                step(s, c, with_mag, &record[steps]);
            else
                step(s, c, with_mag, 0);
            steps++;
        }
        give_out(s, c->p.delay_s, used, quaternions + 4 * (i * in->k + first));
    }
    return steps;
}

/* Corrections of the samples of one step: from what the smoothed error was when they began, in
   a straight line to what it was just before the step's measurements. */
INLINE void correct_samples(const struct orientation_coefficients *c, const lanes *began,
                            const lanes *ended, const lanes *after, ptrdiff_t k, ptrdiff_t used,
                            double *quaternions)
{
    for (int m = 1; m <= c->step_samples; m++) {
        double u = (double)m / c->step_samples;
        double *q = quaternions + 4 * (m - 1) * k;
        for (ptrdiff_t l = 0; l < used; l++) {
            double e[3];
            for (int i = 0; i < 3; i++)
                e[i] = m < c->step_samples ? (1.0 - u) * began[i][l] + u * ended[i][l] : after[i][l];
            turn_by(e[0], e[1], e[2], &q[4 * l], &q[4 * l + 1], &q[4 * l + 2], &q[4 * l + 3]);
        }
    }
}

VERSIONS
void LOOK_BACK(const struct orientation_coefficients *c, const void *records,
               ptrdiff_t count, ptrdiff_t k, ptrdiff_t first, ptrdiff_t from,
               double *quaternions, void *adjoint)
{
    struct orientation_adjoint *state = adjoint;
    lanes *a = state->a, *later = state->later;
    const double T = c->T;
    const ptrdiff_t used = k - first < LANES ? k - first : LANES;
    for (ptrdiff_t j = count - 1; j >= 0; j--) {
        const struct orientation_record *r = (const struct orientation_record *)records + j;
        /* through the measurements, the last one first */
        for (int n = r->measurements - 1; n >= 0; n--) {
            const struct orientation_measured *m = &r->measured[n];
            lanes pull;
            memcpy(pull, m->pull, sizeof pull);
            for (int i = 0; i < STATES; i++)
                EACH_LANE pull[l] -= m->gain[i][l] * a[i][l];
            for (int i = 0; i < m->terms; i++)
                EACH_LANE a[m->at[i]][l] += m->h[i][l] * pull[l];
        }
        /* through the time step: the factors of F', in reverse */
        for (int i = 0; i < 3; i++)
            for (int n = 0; n < CALIBRATION; n++)
                EACH_LANE a[n][l] += r->weight[i][n][l] * a[TURN + i][l];
        for (int i = 0; i < 2; i++) {
            double sign = i ? -1.0 : 1.0;
            EACH_LANE {
                a[TURN + 1 - i][l] += sign * r->up[l] * T * (a[VELOCITY + i][l] + 0.5 * T * a[POSITION + i][l]);
                a[VELOCITY + i][l] += T * a[POSITION + i][l];
            }
        }
        lanes began[3], ended[3];
        for (int i = 0; i < 3; i++) {
            EACH_LANE ended[i][l] = later[i][l] + r->correction[i][l];
            EACH_LANE began[i][l] = 0.0;
            for (int n = 0; n < STATES; n++)
                EACH_LANE began[i][l] += r->turn_covariance[i][n][l] * a[n][l];
        }
        correct_samples(c, began, ended, later, k, used,
                        quaternions + 4 * ((from + j * c->step_samples) * k + first));
        /* Before a start anew nothing that follows counts. */
        for (int i = 0; i < 3; i++)
            EACH_LANE later[i][l] = (1.0 - r->fresh[l]) * began[i][l];
        for (int n = TURN; n < STATES; n++)
            EACH_LANE a[n][l] *= 1.0 - r->fresh[l];
    }
}

const struct orientation_kernel KERNEL = {
    .lanes = LANES,
    .alignment = LANES_ALIGNMENT,
    .state_size = sizeof(struct orientation_state),
    .record_size = sizeof(struct orientation_record),
    .adjoint_size = sizeof(struct orientation_adjoint),
    .begin = begin,
    .run = RUN,
    .look_back = LOOK_BACK,
};
