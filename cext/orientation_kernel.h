/* Orientation of several sensors at once: the numeric core of OrientationFilter.

   Every quantity of the state stands in memory as LANES neighbouring doubles, one for each
   sensor, so that the compiler turns each step into vector instructions. No operation mixes
   lanes: a sensor gives the same bits alone and in company. The method, its equations and
   sources are in docs/orientation.md; the symbols here are those of that page. */

#ifndef EVENSTRIDE_ORIENTATION_KERNEL_H
#define EVENSTRIDE_ORIENTATION_KERNEL_H

#include <stddef.h>

#ifndef LANES
#define LANES 8
#endif

typedef double lanes[LANES];

/* Places in the error state. The twelve calibration states come first: the block of their
   covariance is the only one that a time step leaves alone. */
enum {
    BIAS = 0,      /* 3: gyroscope bias, rad/s, sensor frame */
    MISMATCH = 3,  /* 9: gyroscope scale and misalignment, row by row */
    CALIBRATION = 12,
    TURN = 12,     /* 3: rotation vector from estimate to truth, rad, earth frame */
    VELOCITY = 15, /* 2: east, north, m/s */
    POSITION = 17, /* 2: east, north, m */
    STATES = 19,
    COVARIANCES = STATES * (STATES + 1) / 2 /* lower triangle, row by row */
};

/* What the filter believes about sensors and movement; SI units. See OrientationParameters. */
struct orientation_parameters {
    double step_s;
    double gyr_noise;
    double gyr_noise_of_rate;
    double bias_sd;
    double bias_walk;
    double scale_sd;
    double misalignment_sd;
    double tilt_sd;
    double wander_rad_s;
    double wander_damping;
    double wander_noise;
    double wander_floor;
    double wander_rise_s;
    double wander_fall_s;
    double rest_gyr;
    double rest_acc;
    double rest_after_s;
    double rest_noise;
    double rest_largest_bias;
    double heading_noise;
    double field_norm_tolerance;
    double field_dip_tolerance;
    double field_memory_s;
    double delay_s;
};

/* What follows from parameters and rate: computed once. */
struct orientation_coefficients {
    struct orientation_parameters p;
    double dt;
    int step_samples;
    double slow_gain;
};

struct orientation_state {
    lanes q[4];
    lanes bias[3];
    lanes mismatch[9];
    lanes velocity[2];
    lanes position[2];
    lanes covariance[COVARIANCES];
    /* since the last Kalman step */
    lanes samples;
    lanes sum_rotation[9];
    lanes sum_rotation_rate[27];
    lanes sum_force[3];
    lanes sum_field[3];
    lanes sum_rate2;
    lanes n_force;
    lanes n_field;
    lanes lost_turn2;
    lanes largest_gyr2;
    lanes largest_acc2;
    /* carried from sample to sample */
    lanes started;
    lanes rate[3];
    lanes gap_s;
    lanes slow_gyr[3];
    lanes slow_acc[3];
    /* carried from step to step */
    lanes wander2;
    lanes rest_s;
    lanes rested;
    lanes field_norm;
    lanes field_dip;
    lanes field_s;
    lanes field_odd_s;
};

/* One call's samples, (n, k, 3) and (n, k); a null pointer stands for "not given". */
struct orientation_samples {
    ptrdiff_t n;
    ptrdiff_t k;
    const double *gyr;
    const double *acc;
    const double *mag;
    const unsigned char *valid;
    const unsigned char *saturated;
};

void orientation_prepare(struct orientation_coefficients *c,
                         const struct orientation_parameters *p, double rate_hz);
void orientation_begin(struct orientation_state *s, const struct orientation_coefficients *c);
/* Filters sensors [first, first + LANES) of the call; writes `quaternions`, (n, k, 4). */
void orientation_run(struct orientation_state *s, const struct orientation_coefficients *c,
                     const struct orientation_samples *in, ptrdiff_t first, double *quaternions);

#endif
