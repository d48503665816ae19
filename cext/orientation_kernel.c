/* The filter itself, for LANES sensors at a time: compiled once for each number of lanes, by
   orientation_lanes4.c and orientation_lanes8.c, which also say for which processors. */

#include "orientation_lanes.h"

#include <math.h>
#include <string.h>

#define EACH_LANE for (int l = 0; l < LANES; l++)
#define INLINE static inline __attribute__((always_inline))

static const double GRAVITY = 9.81;
static const double PI = 3.14159265358979323846;

/* Beyond it, and for NaN, a sample counts as missing. No sensor measures as much. */
static const double LARGEST_READING = 1e6;
/* Over a gap g the rate is taken for a straight line, which misses g^3 / 12 of its second
   derivative, here rad/s3: 0.04 deg after 20 ms, 5 deg after a tenth of a second. */
static const double RATE_BEND = 1000.0, LARGEST_GAP_S = 0.25;
/* After a longer one the inclination starts anew; what is known of the sensor stays. */
static const double LOST_AFTER_S = 1.0;
/* At the end of its range a gyroscope may miss this share of the rate. */
static const double CLIPPED_SHARE = 0.3;
/* A specific force that nobody measured, m/s2. */
static const double UNSEEN_FORCE = 5.0;
/* A rate of turn of 1 rad/s makes a moment as unquiet as a change of force by this, m/s2; above
   this variance (m2/s4) a moment is not worth asking. */
static const double QUIET_OF_RATE = 1.0, QUIET_LIMIT = 1.0;

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

/* Before anything is known a body moves this fast, about a place this far away. */
static const double START_SPEED = 1.0, START_PLACE = 0.5;
/* ... and never faster than this about a place that goes along with it, m/s. */
static const double LARGEST_SPEED = 10.0;
/* Whoever gets lost may have a larger bias than was expected, rad/s. */
static const double LOST_BIAS_SD = 0.1;

/* Place of a pair of error states in the lower triangle. */
#define AT(i, j) ((i) >= (j) ? (i) * ((i) + 1) / 2 + (j) : (j) * ((j) + 1) / 2 + (i))

struct tick {
    lanes gyr[3], acc[3], mag[3];
    lanes ok;      /* 1.0: measured, 0.0: missing */
    lanes mag_ok;
    lanes clipped; /* 1.0: at the end of its range */
    lanes still;   /* 1.0: the caller knows that the sensor does not move */
};

/* --- full rate ------------------------------------------------------------------------- */

INLINE int measured3(const double *x)
{
    return fabs(x[0]) + fabs(x[1]) + fabs(x[2]) < LARGEST_READING;
}

INLINE void load(struct tick *t, const struct orientation_samples *in, ptrdiff_t i,
                 ptrdiff_t first)
{
    EACH_LANE {
        /* Lanes beyond the last sensor repeat it: cheaper than asking everywhere. */
        ptrdiff_t at = i * in->k + (first + l < in->k ? first + l : in->k - 1);
        const double *g = in->gyr + 3 * at, *a = in->acc + 3 * at;
        int ok = measured3(g) && measured3(a) && (!in->valid || in->valid[at]);
        for (int x = 0; x < 3; x++) {
            t->gyr[x][l] = ok ? g[x] : 0.0;
            t->acc[x][l] = ok ? a[x] : 0.0;
        }
        t->ok[l] = ok;
        t->clipped[l] = in->saturated && in->saturated[at];
        t->still[l] = in->still && in->still[at];
        if (in->mag) {
            const double *m = in->mag + 3 * at;
            int mag_ok = ok && measured3(m);
            for (int x = 0; x < 3; x++)
                t->mag[x][l] = mag_ok ? m[x] : 0.0;
            t->mag_ok[l] = mag_ok;
        }
    }
}

/* q <- exp(turn) q */
INLINE void turn_by(double x, double y, double z, double *q0, double *q1, double *q2, double *q3)
{
    double angle = sqrt(x * x + y * y + z * z);
    double sine = angle > 1e-6 ? sin(0.5 * angle) / angle : 0.5, w = cos(0.5 * angle);
    x *= sine, y *= sine, z *= sine;
    double a = *q0, b = *q1, d = *q2, e = *q3;
    *q0 = w * a - x * b - y * d - z * e;
    *q1 = w * b + x * a + y * e - z * d;
    *q2 = w * d - x * e + y * a + z * b;
    *q3 = w * e + x * d - y * b + z * a;
}

/* v <- q v conj(q) */
INLINE void rotate(const double *q, double *v)
{
    double x = 2.0 * (q[2] * v[2] - q[3] * v[1]), y = 2.0 * (q[3] * v[0] - q[1] * v[2]),
           z = 2.0 * (q[1] * v[1] - q[2] * v[0]);
    double a = v[0] + q[0] * x + q[2] * z - q[3] * y, b = v[1] + q[0] * y + q[3] * x - q[1] * z,
           d = v[2] + q[0] * z + q[1] * y - q[2] * x;
    v[0] = a, v[1] = b, v[2] = d;
}

/* Nothing but the calibration is known: the inclination as from one sample, whose force is
   gravity but for `unrest`, m/s2. */
static void forget(struct orientation_state *s, const struct orientation_coefficients *c, int l,
                   double unrest)
{
    const struct orientation_parameters *p = &c->p;
    const double tilt2 = p->tilt_sd * p->tilt_sd + unrest * unrest / (GRAVITY * GRAVITY);
    const double heading2 = s->covariance[AT(TURN + 2, TURN + 2)][l];
    for (int i = TURN; i < STATES; i++)
        for (int j = 0; j <= i; j++)
            s->covariance[AT(i, j)][l] = 0.0;
    for (int i = 0; i < 2; i++) {
        s->covariance[AT(TURN + i, TURN + i)][l] = tilt2;
        s->covariance[AT(VELOCITY + i, VELOCITY + i)][l] = START_SPEED * START_SPEED;
        s->covariance[AT(POSITION + i, POSITION + i)][l] = START_PLACE * START_PLACE;
        s->velocity[i][l] = s->position[i][l] = 0.0;
    }
    s->covariance[AT(TURN + 2, TURN + 2)][l] = heading2;
    s->wander2[l] = 1.0;
    s->rest_s[l] = 0.0;
}

/* The first measured sample gives the inclination, by the shortest turn that takes its specific
   force to the vertical, and its field, where there is one, the heading. */
static void start(struct orientation_state *s, const struct orientation_coefficients *c,
                  const struct tick *t)
{
    for (int l = 0; l < LANES; l++) {
        double f[3] = {t->acc[0][l], t->acc[1][l], t->acc[2][l]};
        double norm = sqrt(f[0] * f[0] + f[1] * f[1] + f[2] * f[2]);
        int waiting = s->started[l] == 0.0 || s->gap_s[l] > LOST_AFTER_S;
        if (!waiting || t->ok[l] == 0.0 || norm < 1e-3)
            continue;
        double q[4] = {s->q[0][l], s->q[1][l], s->q[2][l], s->q[3][l]};
        rotate(q, f);
        double across = sqrt(f[0] * f[0] + f[1] * f[1]), angle = atan2(across, f[2]);
        double k = across > 1e-9 * norm ? angle / across : 0.0;
        if (k == 0.0 && f[2] < 0.0) /* upside down: half a turn about x */
            turn_by(PI, 0.0, 0.0, &q[0], &q[1], &q[2], &q[3]);
        else
            turn_by(f[1] * k, -f[0] * k, 0.0, &q[0], &q[1], &q[2], &q[3]);
        if (t->mag_ok[l] != 0.0) {
            double m[3] = {t->mag[0][l], t->mag[1][l], t->mag[2][l]};
            rotate(q, m);
            turn_by(0.0, 0.0, atan2(m[0], m[1]), &q[0], &q[1], &q[2], &q[3]);
        }
        for (int i = 0; i < 4; i++)
            s->q[i][l] = q[i];
        for (int i = 0; i < 3; i++) {
            s->slow_gyr[i][l] = t->gyr[i][l];
            s->rate[i][l] = t->gyr[i][l] - s->bias[i][l];
            s->slow_acc[i][l] = s->last_acc[i][l] = t->acc[i][l];
        }
        double rate2 = 0.0;
        for (int i = 0; i < 3; i++)
            rate2 += s->rate[i][l] * s->rate[i][l];
        if (s->gap_s[l] > LOST_AFTER_S && s->started[l] != 0.0) {
            s->covariance[AT(TURN + 2, TURN + 2)][l] = PI * PI;
            s->heading_known[l] = 0.0;
        }
        double off = norm - GRAVITY;
        forget(s, c, l, sqrt(off * off + QUIET_OF_RATE * QUIET_OF_RATE * rate2));
        s->gap_s[l] = 0.0;
        s->started[l] = s->fresh[l] = 1.0;
    }
}

/* One sample: turn the estimate, and add up what the next Kalman step needs. */
INLINE void integrate(struct orientation_state *s, const struct orientation_coefficients *c,
                      const struct tick *t, int with_mag)
{
    const double dt = c->dt, slow = c->slow_gain;
    EACH_LANE {
        const double ok = t->ok[l];
        double gx = t->gyr[0][l], gy = t->gyr[1][l], gz = t->gyr[2][l];
        double ux = gx - s->bias[0][l], uy = gy - s->bias[1][l], uz = gz - s->bias[2][l];
        double vx = ux - (s->mismatch[0][l] * ux + s->mismatch[1][l] * uy + s->mismatch[2][l] * uz);
        double vy = uy - (s->mismatch[3][l] * ux + s->mismatch[4][l] * uy + s->mismatch[5][l] * uz);
        double vz = uz - (s->mismatch[6][l] * ux + s->mismatch[7][l] * uy + s->mismatch[8][l] * uz);
        /* A missing sample holds the last rate; the first one after a gap makes up for what
           the straight line between the two rates would have turned more. */
        double lx = s->rate[0][l], ly = s->rate[1][l], lz = s->rate[2][l];
        double wx = ok * vx + (1.0 - ok) * lx, wy = ok * vy + (1.0 - ok) * ly,
               wz = ok * vz + (1.0 - ok) * lz;
        double gap = s->gap_s[l], catch_up = 0.5 * ok * gap;
        double rx = wx * dt + catch_up * (wx - lx), ry = wy * dt + catch_up * (wy - ly),
               rz = wz * dt + catch_up * (wz - lz);
        s->rate[0][l] = wx, s->rate[1][l] = wy, s->rate[2][l] = wz;
        s->gap_s[l] = (1.0 - ok) * (gap + dt);

        /* q <- q exp(r / 2) by the series of cosine and sine, then back to unit length */
        double h = 0.25 * (rx * rx + ry * ry + rz * rz);
        double cosine = 1.0 - h * (1.0 / 2) * (1.0 - h * (1.0 / 12) * (1.0 - h * (1.0 / 30) * (1.0 - h * (1.0 / 56))));
        double sine = 0.5 * (1.0 - h * (1.0 / 6) * (1.0 - h * (1.0 / 20) * (1.0 - h * (1.0 / 42) * (1.0 - h * (1.0 / 72)))));
        double x = rx * sine, y = ry * sine, z = rz * sine;
        double q0 = s->q[0][l], q1 = s->q[1][l], q2 = s->q[2][l], q3 = s->q[3][l];
        double p0 = q0 * cosine - q1 * x - q2 * y - q3 * z, p1 = q0 * x + q1 * cosine + q2 * z - q3 * y,
               p2 = q0 * y - q1 * z + q2 * cosine + q3 * x, p3 = q0 * z + q1 * y - q2 * x + q3 * cosine;
        double unit = 1.5 - 0.5 * (p0 * p0 + p1 * p1 + p2 * p2 + p3 * p3);
        p0 *= unit, p1 *= unit, p2 *= unit, p3 *= unit;
        s->q[0][l] = p0, s->q[1][l] = p1, s->q[2][l] = p2, s->q[3][l] = p3;

        /* Rate, force and field are means over the interval that the sample ends: they belong to
           the orientation in the middle of its turn, the mean of both quaternions. */
        double m0 = q0 + p0, m1 = q1 + p1, m2 = q2 + p2, m3 = q3 + p3;
        double two = 2.0 / (m0 * m0 + m1 * m1 + m2 * m2 + m3 * m3);
        double r[9] = {
            1.0 - two * (m2 * m2 + m3 * m3), two * (m1 * m2 - m0 * m3), two * (m1 * m3 + m0 * m2),
            two * (m1 * m2 + m0 * m3), 1.0 - two * (m1 * m1 + m3 * m3), two * (m2 * m3 - m0 * m1),
            two * (m1 * m3 - m0 * m2), two * (m2 * m3 + m0 * m1), 1.0 - two * (m1 * m1 + m2 * m2),
        };
        for (int i = 0; i < 9; i++) {
            s->sum_rotation[i][l] += r[i];
            s->sum_rotation_rate[3 * i][l] += r[i] * wx;
            s->sum_rotation_rate[3 * i + 1][l] += r[i] * wy;
            s->sum_rotation_rate[3 * i + 2][l] += r[i] * wz;
        }
        double rate2 = wx * wx + wy * wy + wz * wz;
        s->sum_rate2[l] += rate2;
        s->n_ok[l] += ok;
        s->n_still[l] += ok * t->still[l];
        s->sum_gyr[0][l] += gx, s->sum_gyr[1][l] += gy, s->sum_gyr[2][l] += gz;
        double ax = t->acc[0][l], ay = t->acc[1][l], az = t->acc[2][l];
        double jx = ok * (ax - s->last_acc[0][l]), jy = ok * (ay - s->last_acc[1][l]),
               jz = ok * (az - s->last_acc[2][l]);
        s->last_acc[0][l] += jx, s->last_acc[1][l] += jy, s->last_acc[2][l] += jz;
        s->lost_turn2[l] += c->jolt2 * (jx * jx + jy * jy + jz * jz);
        double use = ok * (1.0 - t->clipped[l]);
        s->n_force[l] += use;
        for (int i = 0; i < 3; i++)
            s->sum_force[i][l] += use * (r[3 * i] * ax + r[3 * i + 1] * ay + r[3 * i + 2] * az);
        if (with_mag) {
            double mx = t->mag[0][l], my = t->mag[1][l], mz = t->mag[2][l];
            s->n_field[l] += t->mag_ok[l];
            for (int i = 0; i < 3; i++)
                s->sum_field[i][l] += r[3 * i] * mx + r[3 * i + 1] * my + r[3 * i + 2] * mz;
        }
        double longer = gap + dt, grows = gap < LARGEST_GAP_S ? 1.0 - ok : 0.0;
        double bend1 = RATE_BEND / 12.0 * longer * longer * longer, bend0 = RATE_BEND / 12.0 * gap * gap * gap;
        double missed = ok * t->clipped[l] * CLIPPED_SHARE * dt;
        s->lost_turn2[l] += grows * (bend1 * bend1 - bend0 * bend0) + missed * missed * rate2;

        double keep = ok * slow, gyr2 = 0.0, acc2 = 0.0;
        for (int i = 0; i < 3; i++) {
            double dg = ok * (t->gyr[i][l] - s->slow_gyr[i][l]);
            double da = ok * (t->acc[i][l] - s->slow_acc[i][l]);
            s->slow_gyr[i][l] += keep * dg;
            s->slow_acc[i][l] += keep * da;
            gyr2 += dg * dg;
            acc2 += da * da;
        }
        s->largest_gyr2[l] = gyr2 > s->largest_gyr2[l] ? gyr2 : s->largest_gyr2[l];
        s->largest_acc2[l] = acc2 > s->largest_acc2[l] ? acc2 : s->largest_acc2[l];
    }
}

/* --- covariance ------------------------------------------------------------------------- */

/* All lanes of a quantity as one operand. The compiler would find these vectors by itself in
   most places; here, where the time goes, they are spelled out. */
typedef double pack __attribute__((vector_size(sizeof(double) * LANES), aligned(LANES_ALIGNMENT), may_alias));
#define PACK(x) (*(pack *)(x))
#define CONST_PACK(x) (*(const pack *)(x))

/* Error state i gains `gain` times state j: one elementary factor of P <- F P F'. */
INLINE void mix(lanes *P, int i, int j, double gain, const double *of)
{
    const pack g = gain * CONST_PACK(of);
    for (int k = 0; k < STATES; k++)
        if (k != i)
            PACK(P[AT(i, k)]) += g * PACK(P[AT(j, k)]);
    /* P_ij already holds g P_jj more than it did. */
    PACK(P[AT(i, i)]) += g * (2.0 * PACK(P[AT(i, j)]) - g * PACK(P[AT(j, j)]));
}

/* Error state i gains the sum of weight[j] times calibration state j. */
INLINE void mix_calibration(lanes *P, int i, const lanes *weight)
{
    pack w[CALIBRATION], old[CALIBRATION];
    for (int j = 0; j < CALIBRATION; j++) {
        w[j] = CONST_PACK(weight[j]);
        old[j] = PACK(P[AT(i, j)]);
    }
    for (int k = 0; k < STATES; k++) {
        if (k == i)
            continue;
        pack sum = PACK(P[AT(i, k)]);
        for (int j = 0; j < CALIBRATION; j++)
            sum += w[j] * PACK(P[AT(k, j)]);
        PACK(P[AT(i, k)]) = sum;
    }
    for (int j = 0; j < CALIBRATION; j++)
        PACK(P[AT(i, i)]) += w[j] * (old[j] + PACK(P[AT(i, j)]));
}

/* A scalar measurement z = sum of h[m] x[at[m]] + noise; lanes with use = 0 are left alone. */
INLINE void measure(lanes *P, lanes *x, int terms, const int *at, const lanes *h,
                    const double *z, const double *variance, const double *use,
                    struct orientation_record *record)
{
    pack ph[STATES], sum = CONST_PACK(variance), residual = CONST_PACK(z);
    for (int i = 0; i < STATES; i++) {
        ph[i] = PACK(P[AT(i, at[0])]) * CONST_PACK(h[0]);
        for (int m = 1; m < terms; m++)
            ph[i] += PACK(P[AT(i, at[m])]) * CONST_PACK(h[m]);
    }
    for (int m = 0; m < terms; m++) {
        sum += CONST_PACK(h[m]) * ph[at[m]];
        residual -= CONST_PACK(h[m]) * PACK(x[at[m]]);
    }
    const pack weight = CONST_PACK(use) / sum, pull = weight * residual;
    for (int i = 0, k = 0; i < STATES; i++) {
        const pack gain = ph[i] * weight;
        PACK(x[i]) += ph[i] * pull;
        for (int j = 0; j <= i; j++, k++)
            PACK(P[k]) -= gain * ph[j];
        if (record)
            PACK(record->measured[record->measurements].gain[i]) = gain;
    }
    if (record) {
        struct orientation_measured *m = &record->measured[record->measurements++];
        m->terms = terms;
        memcpy(m->at, at, terms * sizeof *at);
        memcpy(m->h, h, terms * sizeof *h);
        PACK(m->pull) = pull;
    }
}

/* --- Kalman step ------------------------------------------------------------------------ */

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
    const double push = p->acc_noise * p->acc_noise * T;
    EACH_LANE {
        double unseen = UNSEEN_FORCE * (T - s->n_force[l] * c->dt);
        for (int i = 0; i < 3; i++) {
            P[AT(TURN + i, TURN + i)][l] += noise + of_rate * s->sum_rate2[l] + s->lost_turn2[l];
            P[AT(BIAS + i, BIAS + i)][l] += P[AT(BIAS + i, BIAS + i)][l] < most ? walk : 0.0;
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

/* --- face ------------------------------------------------------------------------------- */

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
