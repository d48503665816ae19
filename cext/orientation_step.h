/* One Kalman step: time, then movement, quiet moments, rest and field, then the correction. */

#ifndef EVENSTRIDE_ORIENTATION_STEP_H
#define EVENSTRIDE_ORIENTATION_STEP_H

#include "orientation_covariance.h"
#include "orientation_field.h"
#include "orientation_sample.h"

/* A specific force that nobody measured, m/s2. */
static const double UNSEEN_FORCE = 5.0;
/* No body moves faster than this about a place that goes along with it, m/s. */
static const double LARGEST_SPEED = 10.0;
/* Whoever gets lost may have a larger bias than was expected, rad/s. */
static const double LOST_BIAS_SD = 0.1;

INLINE void propagate(struct orientation_state *s, const struct orientation_coefficients *c,
                      const lanes *force, struct orientation_record *record)
{
    const struct orientation_parameters *p = &c->p;
    const double T = c->T;
    lanes *P = s->covariance;
    lanes one;
    EACH_LANE one[l] = 1.0;
    if (record) {
        for (int i = 0; i < 3; i++)
            for (int k = 0; k < STATES; k++)
                memcpy(record->turn_covariance[i][k], P[AT(TURN + i, k)], sizeof one);
        memcpy(record->up, force[2], sizeof one);
        memcpy(record->fresh, s->fresh, sizeof one);
    }
    for (int i = 0; i < 2; i++) {
        double sign = i ? -1.0 : 1.0; /* a tilt about y pushes east, about x pushes south */
        mix(P, POSITION + i, VELOCITY + i, T, one);
        mix(P, POSITION + i, TURN + 1 - i, 0.5 * sign * T * T, force[2]);
        mix(P, VELOCITY + i, TURN + 1 - i, sign * T, force[2]);
    }
    for (int i = 0; i < 3; i++) {
        lanes weight[CALIBRATION];
        for (int j = 0; j < 3; j++)
            EACH_LANE weight[BIAS + j][l] = -c->dt * s->sum_rotation[3 * i + j][l];
        for (int j = 0; j < 9; j++)
            EACH_LANE weight[MISMATCH + j][l] = -c->dt * s->sum_rotation_rate[9 * i + j][l];
        mix_calibration(P, TURN + i, weight);
        if (record)
            memcpy(record->weight[i], weight, sizeof weight);
    }
    const double noise = p->gyr_noise * p->gyr_noise * T;
    const double of_rate = p->gyr_noise_of_rate * p->gyr_noise_of_rate * c->dt;
    const double walk = p->bias_walk * p->bias_walk * T, most = p->bias_sd * p->bias_sd;
    const double aging = p->mismatch_walk * p->mismatch_walk * T;
    const double push = p->acc_noise * p->acc_noise * T;
    EACH_LANE {
        double unseen = UNSEEN_FORCE * (T - s->n_force[l] * c->dt);
        for (int i = 0; i < 3; i++) {
            P[AT(TURN + i, TURN + i)][l] += noise + of_rate * s->sum_rate2[l] + s->lost_turn2[l];
            P[AT(BIAS + i, BIAS + i)][l] += P[AT(BIAS + i, BIAS + i)][l] < most ? walk : 0.0;
        }
        for (int i = 0; i < 9; i++) {
            double sd = i % 4 ? p->misalignment_sd : p->scale_sd;
            double *known = &P[AT(MISMATCH + i, MISMATCH + i)][l];
            *known += *known < sd * sd ? aging : 0.0;
        }
        for (int i = 0; i < 2; i++) {
            P[AT(VELOCITY + i, VELOCITY + i)][l] += push + unseen * unseen;
            s->position[i][l] += T * (s->velocity[i][l] + 0.5 * T * force[i][l]);
            s->velocity[i][l] += T * force[i][l];
        }
    }
}

/* A body moves about a slowly forgotten place: force + 2 zeta w v + w^2 p is noise, as strong
   as the present movement. */
INLINE void measure_wander(struct orientation_state *s, const struct orientation_coefficients *c,
                           const lanes *force, lanes *x, struct orientation_record *record)
{
    const struct orientation_parameters *p = &c->p;
    const double of_v = 2.0 * p->wander_damping * p->wander_rad_s;
    const double of_p = p->wander_rad_s * p->wander_rad_s;
    lanes y[2], variance, use, h[3];
    EACH_LANE {
        /* A step that saw less than half of its samples tells nothing. */
        use[l] = 2.0 * s->n_force[l] >= c->step_samples ? 1.0 : 0.0;
        double y2 = 0.0;
        for (int i = 0; i < 2; i++) {
            y[i][l] = -(force[i][l] + of_v * s->velocity[i][l] + of_p * s->position[i][l]);
            y2 += 0.5 * y[i][l] * y[i][l];
        }
        double more = y2 - s->wander2[l];
        s->wander2[l] += use[l] * (more > 0.0 ? c->rise : c->fall) * more;
        variance[l] = (p->wander_noise * p->wander_noise * s->wander2[l]
                       + p->wander_floor * p->wander_floor) / c->T;
        h[1][l] = of_v;
        h[2][l] = of_p;
    }
    for (int i = 0; i < 2; i++) {
        const int at[3] = {TURN + 1 - i, VELOCITY + i, POSITION + i};
        EACH_LANE h[0][l] = i ? -force[2][l] : force[2][l];
        measure(s->covariance, x, 3, at, h, y[i], variance, use, record);
    }
}

/* In a quiet moment, such as the foot's while the other one swings, the force is gravity alone:
   the surer, the less it changes, differs from gravity and comes with a turn. */
INLINE void measure_quiet(struct orientation_state *s, const struct orientation_coefficients *c,
                          const lanes *force, lanes *x, struct orientation_record *record)
{
    const struct orientation_parameters *p = &c->p;
    lanes variance, use, h, z;
    double any = 0.0;
    EACH_LANE {
        double change2 = 0.0, norm2 = 0.0;
        for (int i = 0; i < 3; i++) {
            double change = force[i][l] - s->last_force[i][l];
            s->last_force[i][l] = force[i][l];
            change2 += change * change;
            norm2 += force[i][l] * force[i][l];
        }
        double off = sqrt(norm2) - GRAVITY;
        double rate2 = s->sum_rate2[l] / c->step_samples;
        double unrest2 = change2 + off * off + QUIET_OF_RATE * QUIET_OF_RATE * rate2;
        variance[l] = p->quiet_floor * p->quiet_floor + p->quiet_noise * p->quiet_noise * unrest2;
        int quiet = variance[l] < QUIET_LIMIT && s->n_force[l] >= c->step_samples;
        use[l] = quiet ? 1.0 : 0.0;
        any += use[l];
    }
    if (any == 0.0)
        return;
    for (int i = 0; i < 2; i++) {
        const int at[1] = {TURN + 1 - i};
        EACH_LANE h[l] = i ? -force[2][l] : force[2][l];
        EACH_LANE z[l] = -force[i][l];
        measure(s->covariance, x, 1, at, &h, z, variance, use, record);
    }
}

/* 1.0 where the sensor rests: neither rate nor force left their slow mean for a while. */
INLINE void find_rest(struct orientation_state *s, const struct orientation_coefficients *c,
                      double *rest)
{
    const struct orientation_parameters *p = &c->p;
    EACH_LANE {
        int quiet = s->largest_gyr2[l] < p->rest_gyr * p->rest_gyr
                    && s->largest_acc2[l] < p->rest_acc * p->rest_acc && s->n_force[l] > 0.0;
        s->rest_s[l] = quiet ? s->rest_s[l] + c->T : 0.0;
        int resting = s->rest_s[l] >= p->rest_after_s;
        for (int i = 0; i < 3; i++) {
            double off = fabs(s->slow_gyr[i][l] - s->bias[i][l]);
            double sd = sqrt(s->covariance[AT(BIAS + i, BIAS + i)][l]);
            /* Once the bias is known, an even turn is not taken for a rest any more. */
            double likely = (3.0 * sd > 0.017 ? 3.0 * sd : 0.017) + 0.009;
            resting = resting && (s->rested[l] == 0.0 || off < likely)
                      && fabs(s->slow_gyr[i][l]) < p->rest_largest_bias;
        }
        rest[l] = resting;
    }
}

/* At rest the mean angular rate is the bias; where the caller says "still", roughly so, and
   the velocity is zero as well. */
INLINE void measure_rest(struct orientation_state *s, const struct orientation_coefficients *c,
                         lanes *x, struct orientation_record *record)
{
    const struct orientation_parameters *p = &c->p;
    lanes rest, still, use, variance, one, z;
    double any_rest = 0.0, any_still = 0.0;
    find_rest(s, c, rest);
    EACH_LANE {
        still[l] = s->n_still[l] >= c->step_samples ? 1.0 : 0.0;
        use[l] = rest[l] > still[l] ? rest[l] : still[l];
        double noise = rest[l] != 0.0 ? p->rest_noise : p->still_gyr_noise;
        variance[l] = noise * noise / c->T;
        one[l] = 1.0;
        any_rest += use[l];
        any_still += still[l];
    }
    if (any_rest == 0.0)
        return;
    for (int i = 0; i < 3; i++) {
        const int at[1] = {BIAS + i};
        EACH_LANE {
            double *known = &s->covariance[AT(BIAS + i, BIAS + i)][l];
            z[l] = use[l] != 0.0 ? s->sum_gyr[i][l] / s->n_ok[l] - s->bias[i][l] : 0.0;
            /* The first rest may tell of a larger bias than anybody expected. */
            int surprising = rest[l] != 0.0 && s->rested[l] == 0.0 && z[l] * z[l] > *known;
            *known = surprising ? z[l] * z[l] : *known;
        }
        measure(s->covariance, x, 1, at, &one, z, variance, use, record);
    }
    EACH_LANE s->rested[l] = rest[l] > s->rested[l] ? 1.0 : s->rested[l];
    if (any_still == 0.0)
        return;
    for (int i = 0; i < 2; i++) {
        const int at[1] = {VELOCITY + i};
        EACH_LANE {
            z[l] = -s->velocity[i][l];
            variance[l] = p->still_velocity_sd * p->still_velocity_sd;
        }
        measure(s->covariance, x, 1, at, &one, z, variance, still, record);
    }
}

/* Move the estimate by the error state, which is then zero again. */
INLINE void correct(struct orientation_state *s, const lanes *x)
{
    EACH_LANE turn_by(x[TURN][l], x[TURN + 1][l], x[TURN + 2][l], &s->q[0][l], &s->q[1][l],
                      &s->q[2][l], &s->q[3][l]);
    for (int i = 0; i < 3; i++)
        EACH_LANE s->bias[i][l] += x[BIAS + i][l];
    for (int i = 0; i < 9; i++)
        EACH_LANE s->mismatch[i][l] += x[MISMATCH + i][l];
    for (int i = 0; i < 2; i++) {
        EACH_LANE s->velocity[i][l] += x[VELOCITY + i][l];
        EACH_LANE s->position[i][l] += x[POSITION + i][l];
    }
    /* No body is so quick: inclination and bias are wrong beyond what their covariance allows. */
    EACH_LANE {
        double speed2 = s->velocity[0][l] * s->velocity[0][l] + s->velocity[1][l] * s->velocity[1][l];
        int lost = speed2 >= LARGEST_SPEED * LARGEST_SPEED;
        s->started[l] = lost ? 0.0 : s->started[l];
        for (int i = 0; i < 3; i++)
            s->covariance[AT(BIAS + i, BIAS + i)][l] += lost ? LOST_BIAS_SD * LOST_BIAS_SD : 0.0;
    }
}

INLINE void step(struct orientation_state *s, const struct orientation_coefficients *c,
                 int with_mag, struct orientation_record *record)
{
    lanes x[STATES] = {{0}}, force[3];
    EACH_LANE {
        double n = s->n_force[l];
        force[0][l] = n > 0.0 ? s->sum_force[0][l] / n : 0.0;
        force[1][l] = n > 0.0 ? s->sum_force[1][l] / n : 0.0;
        force[2][l] = n > 0.0 ? s->sum_force[2][l] / n : GRAVITY;
    }
    if (record)
        record->measurements = 0;
    propagate(s, c, force, record);
    measure_wander(s, c, force, x, record);
    measure_quiet(s, c, force, x, record);
    measure_rest(s, c, x, record);
    if (with_mag)
        measure_heading(s, c, x, record);
    correct(s, x);
    if (record)
        memcpy(record->correction, x[TURN], sizeof record->correction);
    memset(s->samples, 0, offsetof(struct orientation_state, started)
                              - offsetof(struct orientation_state, samples));
}

#endif
