/* What depends on LANES: included once into each file that works one number of lanes. */

#ifndef EVENSTRIDE_ORIENTATION_LANES_H
#define EVENSTRIDE_ORIENTATION_LANES_H

#include "orientation_kernel.h"

#include <math.h>
#include <string.h>

#define EACH_LANE for (int l = 0; l < LANES; l++)
#define INLINE static inline __attribute__((always_inline))

/* Aligned, so that no vector straddles two cache lines. */
#define LANES_ALIGNMENT (LANES * 8)
typedef double lanes[LANES] __attribute__((aligned(LANES_ALIGNMENT)));

struct orientation_state {
    lanes q[4];
    lanes bias[3];
    lanes mismatch[9];
    lanes velocity[2];
    lanes position[2];
    lanes covariance[COVARIANCES];
    /* since the last Kalman step */
    lanes samples;
    lanes fresh; /* 1.0: the inclination started anew */
    lanes sum_rotation[9];
    lanes sum_rotation_rate[27];
    lanes sum_gyr[3];
    lanes sum_force[3];
    lanes sum_field[3];
    lanes sum_rate2;
    lanes n_ok;
    lanes n_force;
    lanes n_field;
    lanes n_still;
    lanes lost_turn2;
    lanes largest_gyr2;
    lanes largest_acc2;
    /* carried from sample to sample */
    lanes started;
    lanes rate[3];
    lanes last_acc[3];
    lanes gap_s;
    lanes slow_gyr[3];
    lanes slow_acc[3];
    /* carried from step to step */
    lanes wander2;
    lanes last_force[3];
    lanes rest_s;
    lanes rested;
    lanes heading_known;
    lanes field_norm[FIELDS];
    lanes field_dip[FIELDS];
    lanes field_s[FIELDS];
    lanes field_here;
    lanes field_odd_s;
};

/* What one Kalman step leaves for the look back (docs/orientation.md, "Looking back"). */
struct orientation_record {
    lanes turn_covariance[3][STATES]; /* rows of the turn when the step's samples began */
    lanes weight[3][CALIBRATION];     /* how calibration errors turned the estimate since */
    lanes fresh;                      /* 1.0: nothing older says anything of the turn */
    lanes up;                         /* vertical specific force */
    lanes correction[3];              /* of the turn, by this step's measurements */
    int measurements;
    struct orientation_measured {
        int terms;
        int at[3];
        lanes h[3];
        lanes gain[STATES];
        lanes pull; /* innovation over its variance */
    } measured[MEASUREMENTS];
};

/* The look back between two steps: the adjoint, and the later step's smoothed turn. */
struct orientation_adjoint {
    lanes a[STATES];
    lanes later[3];
};

static const double GRAVITY = 9.81;
static const double PI = 3.14159265358979323846;

/* Place of a pair of error states in the lower triangle. */
#define AT(i, j) ((i) >= (j) ? (i) * ((i) + 1) / 2 + (j) : (j) * ((j) + 1) / 2 + (i))

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

#endif
