/* What happens at every sample: reading it, starting, turning the estimate, adding up. */

#ifndef EVENSTRIDE_ORIENTATION_SAMPLE_H
#define EVENSTRIDE_ORIENTATION_SAMPLE_H

#include "orientation_lanes.h"

/* Beyond it, and for NaN, a sample counts as missing. No sensor measures as much. */
static const double LARGEST_READING = 1e6;
/* Over a gap g the rate is taken for a straight line, which misses g^3 / 12 of its second
   derivative, here rad/s3: 0.04 deg after 20 ms, 5 deg after a tenth of a second. */
static const double RATE_BEND = 1000.0, LARGEST_GAP_S = 0.25;
/* After a longer one the inclination starts anew; what is known of the sensor stays. */
static const double LOST_AFTER_S = 1.0;
/* At the end of its range a gyroscope may miss this share of the rate. */
static const double CLIPPED_SHARE = 0.3;
/* A rate of turn of 1 rad/s makes a moment as unquiet as a change of force by this, m/s2; above
   this variance (m2/s4) a moment is not worth asking. */
static const double QUIET_OF_RATE = 1.0, QUIET_LIMIT = 1.0;
/* Before anything is known a body moves this fast (m/s), this far from its place (m). */
static const double START_SPEED = 1.0, START_PLACE = 0.5;

struct tick {
    lanes gyr[3], acc[3], mag[3];
    lanes ok;      /* 1.0: measured, 0.0: missing */
    lanes mag_ok;
    lanes clipped; /* 1.0: at the end of its range */
    lanes still;   /* 1.0: the caller knows that the sensor does not move */
};

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

#endif
