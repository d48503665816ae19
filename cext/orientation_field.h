/* Heading from the magnetic field, and which field is the one here. */

#ifndef EVENSTRIDE_ORIENTATION_FIELD_H
#define EVENSTRIDE_ORIENTATION_FIELD_H

#include "orientation_covariance.h"

/* Fields closer than this are one kind, by strength and dip. */
static const double SAME_NORM = 0.03, SAME_DIP = 0.052;
/* A field this far from the one known here says nothing of north ... */
static const double ODD_NORM = 0.1, ODD_DIP = 0.17;
/* ... unless it lasts. */
static const double ODD_LASTS_S = 60.0;
/* While the sensor keeps still, a magnet fixed to it looks like the earth's field: such time
   counts less. Above this rate of turn time counts in full. */
static const double SHARE_AT_REST = 0.2, TURNING = 0.35;
/* Another kind must have been seen longer by this factor to be taken for the field here. */
static const double FIELD_TAKES_OVER = 1.3;

/* Which of the remembered kinds of field the present one is; a new kind replaces the one seen
   least. The kind seen longest is the field here. */
static int recall_field(struct orientation_state *s, const struct orientation_coefficients *c,
                        int l, double norm, double dip, double rate)
{
    int kind = -1, least = 0;
    for (int i = 0; i < FIELDS; i++) {
        s->field_s[i][l] *= c->field_fade;
        int same = s->field_s[i][l] > 0.0
                   && fabs(norm - s->field_norm[i][l]) < SAME_NORM * s->field_norm[i][l]
                   && fabs(dip - s->field_dip[i][l]) < SAME_DIP;
        if (same && (kind < 0 || s->field_s[i][l] > s->field_s[kind][l]))
            kind = i;
        if (s->field_s[i][l] < s->field_s[least][l])
            least = i;
    }
    if (kind < 0) {
        kind = least;
        s->field_norm[kind][l] = norm;
        s->field_dip[kind][l] = dip;
        s->field_s[kind][l] = 0.0;
    }
    double seen = c->T * (SHARE_AT_REST + (1.0 - SHARE_AT_REST) * fmin(1.0, rate / TURNING));
    s->field_s[kind][l] += seen;
    double follow = fmax(c->field_follow, seen / s->field_s[kind][l]);
    s->field_norm[kind][l] += follow * (norm - s->field_norm[kind][l]);
    s->field_dip[kind][l] += follow * (dip - s->field_dip[kind][l]);
    int here = (int)s->field_here[l];
    if (s->field_s[kind][l] > FIELD_TAKES_OVER * s->field_s[here][l])
        here = kind;
    s->field_here[l] = here;
    return here;
}

/* The field gives the heading, the less the more it differs from the one known here. */
INLINE void measure_heading(struct orientation_state *s, const struct orientation_coefficients *c,
                            lanes *x, struct orientation_record *record)
{
    const struct orientation_parameters *p = &c->p;
    lanes z, variance, use, one;
    double any = 0.0;
    for (int l = 0; l < LANES; l++) {
        use[l] = 0.0;
        z[l] = 0.0;
        one[l] = variance[l] = 1.0;
        if (s->n_field[l] == 0.0)
            continue;
        double east = s->sum_field[0][l] / s->n_field[l], north = s->sum_field[1][l] / s->n_field[l],
               up = s->sum_field[2][l] / s->n_field[l];
        double level = sqrt(east * east + north * north);
        double norm = sqrt(level * level + up * up), dip = atan2(-up, level);
        double rate = sqrt(s->sum_rate2[l] / c->step_samples);
        int here = recall_field(s, c, l, norm, dip, rate);
        double off_norm = norm / s->field_norm[here][l] - 1.0, off_dip = dip - s->field_dip[here][l];
        int odd = fabs(off_norm) > ODD_NORM || fabs(off_dip) > ODD_DIP;
        s->field_odd_s[l] = odd ? s->field_odd_s[l] + c->T : 0.0;
        if (odd && s->field_odd_s[l] < ODD_LASTS_S)
            continue;
        off_norm /= p->field_norm_tolerance;
        off_dip /= p->field_dip_tolerance;
        double quick = rate / p->field_rate;
        double doubt = 1.0 + off_norm * off_norm + off_dip * off_dip + quick * quick;
        variance[l] = p->heading_noise * p->heading_noise / c->T * doubt;
        if (s->heading_known[l] == 0.0) {
            s->covariance[AT(TURN + 2, TURN + 2)][l] += PI * PI;
            s->heading_known[l] = 1.0;
        }
        double angle = atan2(east, north) - x[TURN + 2][l];
        angle -= 2.0 * PI * floor(angle / (2.0 * PI) + 0.5);
        z[l] = angle + x[TURN + 2][l];
        any += use[l] = 1.0;
    }
    const int at[1] = {TURN + 2};
    if (any != 0.0)
        measure(s->covariance, x, 1, at, &one, z, variance, use, record);
}

#endif
