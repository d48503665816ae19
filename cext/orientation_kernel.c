#include "orientation_kernel.h"

#include <math.h>
#include <string.h>

#define EACH_LANE for (int l = 0; l < LANES; l++)
#define INLINE static inline __attribute__((always_inline))

/* The loader picks the version for the processor at hand: wheels stay portable. Without fused
   multiply-add (see setup.py) all versions give the same bits. */
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__)
#define VERSIONS __attribute__((target_clones("default", "avx2", "avx512f")))
#else
#define VERSIONS
#endif

static const double GRAVITY = 9.81;
static const double LARGEST_READING = 1e6; /* beyond it, and for NaN, a sample is invalid */

struct tick {
    lanes gyr[3], acc[3], mag[3];
    lanes ok;       /* 1.0: measured, 0.0: missing */
    lanes mag_ok;
    lanes clipped;  /* 1.0: at the end of its range */
};

/* --- full rate ------------------------------------------------------------------------- */

INLINE int finite3(const double *x)
{
    return fabs(x[0]) + fabs(x[1]) + fabs(x[2]) < LARGEST_READING;
}

INLINE void load(struct tick *t, const struct orientation_samples *in, ptrdiff_t i,
                 ptrdiff_t first)
{
    EACH_LANE {
        /* Lanes beyond the last sensor repeat it: cheaper than asking everywhere. */
        ptrdiff_t j = first + l < in->k ? first + l : in->k - 1;
        ptrdiff_t at = i * in->k + j;
        const double *g = in->gyr + 3 * at, *a = in->acc + 3 * at;
        int ok = finite3(g) && finite3(a) && (!in->valid || in->valid[at]);
        for (int x = 0; x < 3; x++) {
            t->gyr[x][l] = ok ? g[x] : 0.0;
            t->acc[x][l] = ok ? a[x] : 0.0;
        }
        t->ok[l] = ok;
        t->clipped[l] = in->saturated && in->saturated[at];
        if (in->mag) {
            const double *m = in->mag + 3 * at;
            int mag_ok = ok && finite3(m);
            for (int x = 0; x < 3; x++)
                t->mag[x][l] = mag_ok ? m[x] : 0.0;
            t->mag_ok[l] = mag_ok;
        }
    }
}

/* The first measured sample gives the tilt: the shortest turn that takes it to the vertical. */
static void start(struct orientation_state *s, const struct tick *t)
{
    EACH_LANE {
        double x = t->acc[0][l], y = t->acc[1][l], z = t->acc[2][l];
        double norm = sqrt(x * x + y * y + z * z);
        if (s->started[l] != 0.0 || t->ok[l] == 0.0 || norm < 1e-3)
            continue;
        double w = 1.0 + z / norm;
        if (w < 1e-3) { /* upside down: half a turn about x */
            s->q[0][l] = 0.0, s->q[1][l] = 1.0, s->q[2][l] = 0.0, s->q[3][l] = 0.0;
        } else {
            double half = 1.0 / sqrt(2.0 * w);
            s->q[0][l] = w * half, s->q[1][l] = y / norm * half;
            s->q[2][l] = -x / norm * half, s->q[3][l] = 0.0;
        }
        for (int i = 0; i < 3; i++) {
            s->slow_gyr[i][l] = s->rate[i][l] = t->gyr[i][l];
            s->slow_acc[i][l] = t->acc[i][l];
        }
        s->started[l] = 1.0;
        s->gap_s[l] = 0.0;
    }
}

/* One sample: turn the estimate, and add up what the next Kalman step needs. */
INLINE void integrate(struct orientation_state *s, const struct orientation_coefficients *c,
                      const struct tick *t, int with_mag)
{
    const double dt = c->dt, slow = c->slow_gain;
    EACH_LANE {
        const double ok = t->ok[l];
        double ux = t->gyr[0][l] - s->bias[0][l], uy = t->gyr[1][l] - s->bias[1][l],
               uz = t->gyr[2][l] - s->bias[2][l];
        double vx = ux - (s->mismatch[0][l] * ux + s->mismatch[1][l] * uy + s->mismatch[2][l] * uz);
        double vy = uy - (s->mismatch[3][l] * ux + s->mismatch[4][l] * uy + s->mismatch[5][l] * uz);
        double vz = uz - (s->mismatch[6][l] * ux + s->mismatch[7][l] * uy + s->mismatch[8][l] * uz);
        /* A missing sample holds the last rate; the first one after a gap makes up for what
           the straight line between the two rates would have turned more. */
        double lx = s->rate[0][l], ly = s->rate[1][l], lz = s->rate[2][l];
        double wx = ok != 0.0 ? vx : lx, wy = ok != 0.0 ? vy : ly, wz = ok != 0.0 ? vz : lz;
        double gap = s->gap_s[l];
        double catch_up = 0.5 * ok * gap;
        double rx = wx * dt + catch_up * (wx - lx), ry = wy * dt + catch_up * (wy - ly),
               rz = wz * dt + catch_up * (wz - lz);
        s->rate[0][l] = wx, s->rate[1][l] = wy, s->rate[2][l] = wz;
        s->gap_s[l] = ok != 0.0 ? 0.0 : gap + dt;

        double h = 0.25 * (rx * rx + ry * ry + rz * rz); /* half the angle, squared */
        double cosine = 1.0 - h * (1.0 / 2) * (1.0 - h * (1.0 / 12) * (1.0 - h * (1.0 / 30) * (1.0 - h * (1.0 / 56))));
        double sine = 0.5 * (1.0 - h * (1.0 / 6) * (1.0 - h * (1.0 / 20) * (1.0 - h * (1.0 / 42) * (1.0 - h * (1.0 / 72)))));
        double x = rx * sine, y = ry * sine, z = rz * sine;
        double q0 = s->q[0][l], q1 = s->q[1][l], q2 = s->q[2][l], q3 = s->q[3][l];
        double p0 = q0 * cosine - q1 * x - q2 * y - q3 * z, p1 = q0 * x + q1 * cosine + q2 * z - q3 * y,
               p2 = q0 * y - q1 * z + q2 * cosine + q3 * x, p3 = q0 * z + q1 * y - q2 * x + q3 * cosine;
        double near_one = 1.5 - 0.5 * (p0 * p0 + p1 * p1 + p2 * p2 + p3 * p3);
        p0 *= near_one, p1 *= near_one, p2 *= near_one, p3 *= near_one;
        s->q[0][l] = p0, s->q[1][l] = p1, s->q[2][l] = p2, s->q[3][l] = p3;

        double r[9] = {
            1.0 - 2.0 * (p2 * p2 + p3 * p3), 2.0 * (p1 * p2 - p0 * p3), 2.0 * (p1 * p3 + p0 * p2),
            2.0 * (p1 * p2 + p0 * p3), 1.0 - 2.0 * (p1 * p1 + p3 * p3), 2.0 * (p2 * p3 - p0 * p1),
            2.0 * (p1 * p3 - p0 * p2), 2.0 * (p2 * p3 + p0 * p1), 1.0 - 2.0 * (p1 * p1 + p2 * p2),
        };
        for (int i = 0; i < 9; i++) {
            s->sum_rotation[i][l] += r[i];
            s->sum_rotation_rate[3 * i][l] += r[i] * wx;
            s->sum_rotation_rate[3 * i + 1][l] += r[i] * wy;
            s->sum_rotation_rate[3 * i + 2][l] += r[i] * wz;
        }
        double ax = t->acc[0][l], ay = t->acc[1][l], az = t->acc[2][l];
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
        s->sum_rate2[l] += wx * wx + wy * wy + wz * wz;
        /* In a gap the rate wanders off like a random walk; at the end of the range anything
           up to a third more may be missing. */
        double lost = (1.0 - ok) * 5.0 * (gap + dt) + t->clipped[l] * 0.3 * sqrt(wx * wx + wy * wy + wz * wz);
        s->lost_turn2[l] += lost * lost * dt;

        double keep = ok * slow, gyr2 = 0.0, acc2 = 0.0;
        for (int i = 0; i < 3; i++) {
            double dg = t->gyr[i][l] - s->slow_gyr[i][l], da = t->acc[i][l] - s->slow_acc[i][l];
            s->slow_gyr[i][l] += keep * dg;
            s->slow_acc[i][l] += keep * da;
            gyr2 += dg * dg;
            acc2 += da * da;
        }
        gyr2 = ok != 0.0 ? gyr2 : 0.0;
        acc2 = ok != 0.0 ? acc2 : 0.0;
        s->largest_gyr2[l] = gyr2 > s->largest_gyr2[l] ? gyr2 : s->largest_gyr2[l];
        s->largest_acc2[l] = acc2 > s->largest_acc2[l] ? acc2 : s->largest_acc2[l];
    }
}

/* --- covariance ------------------------------------------------------------------------- */

#define AT(i, j) ((i) >= (j) ? (i) * ((i) + 1) / 2 + (j) : (j) * ((j) + 1) / 2 + (i))

/* State i gains `gain` times state j: one elementary factor of P = F P F'. */
INLINE void mix(lanes *P, int i, int j, double gain, const double *of)
{
    for (int k = 0; k < STATES; k++)
        if (k != i)
            EACH_LANE P[AT(i, k)][l] += gain * of[l] * P[AT(j, k)][l];
    /* P[i][j] already holds P_ij + g P_jj, hence once more of it and of the old one. */
    EACH_LANE {
        double g = gain * of[l];
        P[AT(i, i)][l] += g * (2.0 * P[AT(i, j)][l] - g * P[AT(j, j)][l]);
    }
}

/* State i gains the sum of weight[j] times calibration state j. */
INLINE void mix_calibration(lanes *P, int i, const lanes *weight)
{
    lanes old[CALIBRATION];
    for (int j = 0; j < CALIBRATION; j++)
        EACH_LANE old[j][l] = P[AT(i, j)][l];
    for (int k = 0; k < STATES; k++) {
        if (k == i)
            continue;
        lanes sum = {0};
        for (int j = 0; j < CALIBRATION; j++)
            EACH_LANE sum[l] += weight[j][l] * (k < CALIBRATION || k != i ? P[AT(k, j)][l] : 0.0);
        EACH_LANE P[AT(i, k)][l] += sum[l];
    }
    for (int j = 0; j < CALIBRATION; j++)
        EACH_LANE P[AT(i, i)][l] += weight[j][l] * (old[j][l] + P[AT(i, j)][l]);
}

/* A scalar measurement z = sum of h[m] x[at[m]] + noise; lanes with use = 0 are left alone. */
INLINE void measure(lanes *P, lanes *x, int terms, const int *at, const lanes *h,
                    const double *z, const double *variance, const double *use)
{
    lanes ph[STATES], gain, residual;
    for (int i = 0; i < STATES; i++) {
        EACH_LANE ph[i][l] = 0.0;
        for (int m = 0; m < terms; m++)
            EACH_LANE ph[i][l] += P[AT(i, at[m])][l] * h[m][l];
    }
    EACH_LANE {
        double sum = variance[l], r = z[l];
        for (int m = 0; m < terms; m++) {
            sum += h[m][l] * ph[at[m]][l];
            r -= h[m][l] * x[at[m]][l];
        }
        gain[l] = use[l] / sum;
        residual[l] = r;
    }
    for (int i = 0, k = 0; i < STATES; i++) {
        lanes g;
        EACH_LANE g[l] = ph[i][l] * gain[l];
        EACH_LANE x[i][l] += g[l] * residual[l];
        for (int j = 0; j <= i; j++, k++)
            EACH_LANE P[k][l] -= g[l] * ph[j][l];
    }
}

/* --- Kalman step ------------------------------------------------------------------------ */

INLINE void propagate(struct orientation_state *s, const struct orientation_coefficients *c,
                      const lanes *force)
{
    const struct orientation_parameters *p = &c->p;
    const double T = c->step_samples * c->dt;
    lanes *P = s->covariance;
    lanes up;
    EACH_LANE up[l] = force[2][l];
    /* x = (bias, mismatch, turn, velocity, position); see docs/orientation.md, equation 4. */
    lanes one;
    EACH_LANE one[l] = 1.0;
    for (int i = 0; i < 2; i++) {
        double sign = i ? -1.0 : 1.0; /* tilt about y pushes east, tilt about x pushes south */
        mix(P, POSITION + i, VELOCITY + i, T, one);
        mix(P, POSITION + i, TURN + 1 - i, 0.5 * sign * T * T, up);
        mix(P, VELOCITY + i, TURN + 1 - i, sign * T, up);
    }
    for (int i = 0; i < 3; i++) {
        lanes weight[CALIBRATION];
        for (int j = 0; j < 3; j++)
            EACH_LANE weight[BIAS + j][l] = -c->dt * s->sum_rotation[3 * i + j][l];
        for (int j = 0; j < 9; j++)
            EACH_LANE weight[MISMATCH + j][l] = -c->dt * s->sum_rotation_rate[9 * i + j][l];
        mix_calibration(P, TURN + i, weight);
    }
    const double noise = p->gyr_noise * p->gyr_noise * T;
    const double of_rate = p->gyr_noise_of_rate * p->gyr_noise_of_rate * c->dt;
    const double walk = p->bias_walk * p->bias_walk * T;
    EACH_LANE {
        double missing = T - s->n_force[l] * c->dt;
        double push = 1e-6 * T + 25.0 * missing * missing;
        for (int i = 0; i < 3; i++) {
            P[AT(TURN + i, TURN + i)][l] += noise + of_rate * s->sum_rate2[l] + s->lost_turn2[l];
            double room = p->bias_sd * p->bias_sd - P[AT(BIAS + i, BIAS + i)][l];
            P[AT(BIAS + i, BIAS + i)][l] += room > 0.0 ? walk : 0.0;
        }
        for (int i = 0; i < 2; i++) {
            P[AT(VELOCITY + i, VELOCITY + i)][l] += push;
            P[AT(POSITION + i, POSITION + i)][l] += 1e-6 * T;
            s->position[i][l] += T * (s->velocity[i][l] + 0.5 * T * force[i][l]);
            s->velocity[i][l] += T * force[i][l];
        }
    }
}

/* A body moves about a slowly forgotten place: force + 2 zeta w v + w^2 p is noise. */
INLINE void measure_wander(struct orientation_state *s, const struct orientation_coefficients *c,
                           const lanes *force, const double *known, lanes *x)
{
    const struct orientation_parameters *p = &c->p;
    const double T = c->step_samples * c->dt;
    const double of_v = 2.0 * p->wander_damping * p->wander_rad_s;
    const double of_p = p->wander_rad_s * p->wander_rad_s;
    const double rise = 1.0 - exp(-T / p->wander_rise_s), fall = 1.0 - exp(-T / p->wander_fall_s);
    lanes y[2], variance;
    EACH_LANE {
        double y2 = 0.0;
        for (int i = 0; i < 2; i++) {
            y[i][l] = force[i][l] + of_v * s->velocity[i][l] + of_p * s->position[i][l];
            y2 += 0.5 * y[i][l] * y[i][l];
            y[i][l] = -y[i][l];
        }
        double e = y2 - s->wander2[l];
        s->wander2[l] += known[l] * (e > 0.0 ? rise : fall) * e;
        variance[l] = (p->wander_noise * p->wander_noise * s->wander2[l]
                       + p->wander_floor * p->wander_floor) / T;
    }
    for (int i = 0; i < 2; i++) {
        const int at[3] = {TURN + 1 - i, VELOCITY + i, POSITION + i};
        lanes h[3];
        EACH_LANE h[0][l] = i ? -force[2][l] : force[2][l];
        EACH_LANE h[1][l] = of_v;
        EACH_LANE h[2][l] = of_p;
        measure(s->covariance, x, 3, at, h, y[i], variance, known);
    }
}

/* At rest the slow part of the angular rate is the bias. */
INLINE void measure_rest(struct orientation_state *s, const struct orientation_coefficients *c,
                         lanes *x)
{
    const struct orientation_parameters *p = &c->p;
    const double T = c->step_samples * c->dt;
    lanes resting, variance, h;
    double any = 0.0;
    EACH_LANE {
        int still = s->largest_gyr2[l] < p->rest_gyr * p->rest_gyr
                    && s->largest_acc2[l] < p->rest_acc * p->rest_acc && s->n_force[l] > 0.0;
        s->rest_s[l] = still ? s->rest_s[l] + T : 0.0;
        int rest = s->rest_s[l] >= p->rest_after_s;
        for (int i = 0; i < 3; i++) {
            double off = fabs(s->slow_gyr[i][l] - s->bias[i][l]);
            double sd = sqrt(s->covariance[AT(BIAS + i, BIAS + i)][l]);
            /* Once the bias is known, an even turn is not taken for a rest any more. */
            int even_turn = s->rested[l] != 0.0 && off > fmax(3.0 * sd, 0.017) + 0.009;
            rest = rest && !even_turn && fabs(s->slow_gyr[i][l]) < p->rest_largest_bias;
        }
        for (int i = 0; i < 3; i++) {
            double off = s->slow_gyr[i][l] - s->bias[i][l];
            double *var = &s->covariance[AT(BIAS + i, BIAS + i)][l];
            /* The first rest may tell of a larger bias than the prior expects. */
            if (rest && s->rested[l] == 0.0 && off * off > *var)
                *var = off * off;
        }
        if (rest)
            s->rested[l] = 1.0;
        resting[l] = rest;
        any += resting[l];
        variance[l] = p->rest_noise * p->rest_noise / T;
        h[l] = 1.0;
    }
    if (any == 0.0)
        return;
    for (int i = 0; i < 3; i++) {
        const int at[1] = {BIAS + i};
        lanes z;
        EACH_LANE z[l] = s->slow_gyr[i][l] - s->bias[i][l];
        measure(s->covariance, x, 1, at, &h, z, variance, resting);
    }
}

/* The field gives the heading, the less the more it differs from the one known here. */
INLINE void measure_heading(struct orientation_state *s, const struct orientation_coefficients *c,
                            lanes *x)
{
    const struct orientation_parameters *p = &c->p;
    const double T = c->step_samples * c->dt;
    lanes z, variance, use;
    for (int l = 0; l < LANES; l++) {
        use[l] = s->n_field[l] > 0.0;
        z[l] = 0.0;
        variance[l] = 1.0;
        if (use[l] == 0.0)
            continue;
        double east = s->sum_field[0][l] / s->n_field[l], north = s->sum_field[1][l] / s->n_field[l],
               up = s->sum_field[2][l] / s->n_field[l];
        double level = sqrt(east * east + north * north);
        double norm = sqrt(level * level + up * up), dip = atan2(-up, level);
        double off_norm = norm / s->field_norm[l] - 1.0, off_dip = dip - s->field_dip[l];
        int odd = fabs(off_norm) > 0.1 || fabs(off_dip) > 0.17;
        s->field_odd_s[l] = odd ? s->field_odd_s[l] + T : 0.0;
        if (s->field_s[l] == 0.0 || s->field_odd_s[l] > 60.0) {
            s->field_norm[l] = norm;
            s->field_dip[l] = dip;
            s->field_s[l] = 0.0;
            s->field_odd_s[l] = 0.0;
            off_norm = off_dip = 0.0;
            odd = 0;
        }
        if (odd) {
            use[l] = 0.0;
            continue;
        }
        s->field_s[l] += T;
        double follow = T / fmin(p->field_memory_s, s->field_s[l]);
        s->field_norm[l] += follow * (norm - s->field_norm[l]);
        s->field_dip[l] += follow * (dip - s->field_dip[l]);
        double doubt = 1.0 + off_norm * off_norm / (p->field_norm_tolerance * p->field_norm_tolerance)
                       + off_dip * off_dip / (p->field_dip_tolerance * p->field_dip_tolerance);
        variance[l] = p->heading_noise * p->heading_noise / T * doubt;
        double angle = atan2(east, north) - x[TURN + 2][l];
        angle -= 2.0 * M_PI * floor(angle / (2.0 * M_PI) + 0.5);
        z[l] = angle + x[TURN + 2][l];
    }
    const int at[1] = {TURN + 2};
    lanes h;
    EACH_LANE h[l] = 1.0;
    measure(s->covariance, x, 1, at, &h, z, variance, use);
}

/* Move the estimate by the error state, which is then zero again. */
INLINE void correct(struct orientation_state *s, const lanes *x)
{
    for (int l = 0; l < LANES; l++) {
        double rx = x[TURN][l], ry = x[TURN + 1][l], rz = x[TURN + 2][l];
        double angle = sqrt(rx * rx + ry * ry + rz * rz);
        double sine = angle > 1e-6 ? sin(0.5 * angle) / angle : 0.5, w = cos(0.5 * angle);
        double a = rx * sine, b = ry * sine, d = rz * sine;
        double q0 = s->q[0][l], q1 = s->q[1][l], q2 = s->q[2][l], q3 = s->q[3][l];
        s->q[0][l] = w * q0 - a * q1 - b * q2 - d * q3;
        s->q[1][l] = w * q1 + a * q0 + b * q3 - d * q2;
        s->q[2][l] = w * q2 - a * q3 + b * q0 + d * q1;
        s->q[3][l] = w * q3 + a * q2 - b * q1 + d * q0;
    }
    for (int i = 0; i < 3; i++)
        EACH_LANE s->bias[i][l] += x[BIAS + i][l];
    for (int i = 0; i < 9; i++)
        EACH_LANE s->mismatch[i][l] += x[MISMATCH + i][l];
    for (int i = 0; i < 2; i++) {
        EACH_LANE s->velocity[i][l] += x[VELOCITY + i][l];
        EACH_LANE s->position[i][l] += x[POSITION + i][l];
    }
}

INLINE void forget_sums(struct orientation_state *s)
{
    memset(s->samples, 0, offsetof(struct orientation_state, started)
                              - offsetof(struct orientation_state, samples));
}

INLINE void step(struct orientation_state *s, const struct orientation_coefficients *c,
                 int with_mag)
{
    lanes x[STATES] = {{0}}, force[3], known;
    EACH_LANE {
        double n = s->n_force[l];
        known[l] = 2.0 * n >= c->step_samples ? 1.0 : 0.0;
        for (int i = 0; i < 3; i++)
            force[i][l] = n > 0.0 ? s->sum_force[i][l] / n : (i < 2 ? 0.0 : GRAVITY);
    }
    propagate(s, c, force);
    measure_wander(s, c, force, known, x);
    measure_rest(s, c, x);
    if (with_mag)
        measure_heading(s, c, x);
    correct(s, x);
    forget_sums(s);
}

/* --- face ------------------------------------------------------------------------------- */

void orientation_prepare(struct orientation_coefficients *c,
                         const struct orientation_parameters *p, double rate_hz)
{
    c->p = *p;
    c->dt = 1.0 / rate_hz;
    c->step_samples = (int)fmax(1.0, floor(p->step_s * rate_hz + 0.5));
    c->slow_gain = 1.0 - exp(-c->dt / 0.5);
}

void orientation_begin(struct orientation_state *s, const struct orientation_coefficients *c)
{
    const struct orientation_parameters *p = &c->p;
    memset(s, 0, sizeof *s);
    EACH_LANE {
        s->q[0][l] = 1.0;
        s->wander2[l] = 1.0;
        for (int i = 0; i < 3; i++)
            s->covariance[AT(BIAS + i, BIAS + i)][l] = p->bias_sd * p->bias_sd;
        for (int i = 0; i < 9; i++) {
            double sd = i % 4 ? p->misalignment_sd : p->scale_sd;
            s->covariance[AT(MISMATCH + i, MISMATCH + i)][l] = sd * sd;
        }
        for (int i = 0; i < 2; i++) {
            s->covariance[AT(TURN + i, TURN + i)][l] = p->tilt_sd * p->tilt_sd;
            s->covariance[AT(VELOCITY + i, VELOCITY + i)][l] = 1.0;
            s->covariance[AT(POSITION + i, POSITION + i)][l] = 0.25;
        }
        s->covariance[AT(TURN + 2, TURN + 2)][l] = M_PI * M_PI;
    }
}

VERSIONS
void orientation_run(struct orientation_state *s, const struct orientation_coefficients *c,
                     const struct orientation_samples *in, ptrdiff_t first, double *quaternions)
{
    struct tick t = {0};
    const int with_mag = in->mag != 0;
    const ptrdiff_t used = in->k - first < LANES ? in->k - first : LANES;
    for (ptrdiff_t i = 0; i < in->n; i++) {
        load(&t, in, i, first);
        double waiting = 0.0;
        EACH_LANE waiting += 1.0 - s->started[l];
        if (waiting > 0.0)
            start(s, &t);
        if (with_mag)
            integrate(s, c, &t, 1);
        else
            integrate(s, c, &t, 0);
        EACH_LANE s->samples[l] += 1.0;
        if (s->samples[0] >= c->step_samples)
            step(s, c, with_mag);
        double *out = quaternions + 4 * (i * in->k + first);
        for (ptrdiff_t l = 0; l < used; l++)
            for (int x = 0; x < 4; x++)
                out[4 * l + x] = s->q[x][l];
    }
}
