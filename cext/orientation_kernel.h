/* Orientation of several sensors at once: the numeric core of OrientationFilter.

   Every quantity of the state stands in memory as LANES neighbouring doubles, one for each
   sensor, so that each step becomes vector instructions. No operation mixes lanes: a sensor gives
   the same bits alone and in company, and in any number of lanes. The method, its equations and
   sources are in docs/orientation.md; the symbols here are those of that page.

   This file is what all numbers of lanes share; orientation_lanes.h depends on their number. */

#ifndef EVENSTRIDE_ORIENTATION_KERNEL_H
#define EVENSTRIDE_ORIENTATION_KERNEL_H

#include <stddef.h>

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
    COVARIANCES = STATES * (STATES + 1) / 2, /* lower triangle, row by row */
    FIELDS = 4,    /* kinds of magnetic field remembered */
    MEASUREMENTS = 10 /* at most, in one Kalman step */
};

/* What the filter believes about sensors and movement; SI units. See OrientationParameters. */
struct orientation_parameters {
    double step_s;
    double gyr_noise;
    double gyr_noise_of_rate;
    double jolt_noise;
    double bias_sd;
    double bias_walk;
    double scale_sd;
    double misalignment_sd;
    double mismatch_walk;
    double tilt_sd;
    double acc_noise;
    double wander_rad_s;
    double wander_damping;
    double wander_noise;
    double wander_floor;
    double wander_rise_s;
    double wander_fall_s;
    double quiet_noise;
    double quiet_floor;
    double rest_gyr;
    double rest_acc;
    double rest_after_s;
    double rest_noise;
    double rest_largest_bias;
    double still_gyr_noise;
    double still_velocity_sd;
    double heading_noise;
    double field_norm_tolerance;
    double field_dip_tolerance;
    double field_rate;
    double acc_bias_sd;
    double delay_sd_s;
    double delay_s;
};

/* What follows from parameters and rate: computed once. */
struct orientation_coefficients {
    struct orientation_parameters p;
    double dt;
    double T; /* length of a step, seconds */
    int step_samples;
    double jolt2;
    double slow_gain;
    double rise;
    double fall;
    double field_fade;
    double field_follow;
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
    const unsigned char *still;
};

/* The filter for one number of lanes. States, records and `adjoint` are arrays of doubles whose
   sizes stand here, aligned to `alignment` bytes; what is in them is the kernel's own affair but
   for the order of a state's quantities, each `lanes` doubles, which is that of `STATE`. */
struct orientation_kernel {
    ptrdiff_t lanes;
    size_t alignment;
    size_t state_size;
    size_t record_size;
    size_t adjoint_size;
    void (*begin)(void *state, const struct orientation_coefficients *c);
    /* Filters samples [from, to) of sensors [first, first + lanes); writes `quaternions`,
       (n, k, 4). `records` is null or has room for every step that ends within. Returns their
       number. */
    ptrdiff_t (*run)(void *state, const struct orientation_coefficients *c,
                     const struct orientation_samples *in, ptrdiff_t first, ptrdiff_t from,
                     ptrdiff_t to, double *quaternions, void *records);
    /* Corrects the quaternions of the `count` steps whose samples begin at `from` by what came
       later. `adjoint` carries the look back from piece to piece; zero at the very end. */
    void (*look_back)(const struct orientation_coefficients *c, const void *records,
                      ptrdiff_t count, ptrdiff_t k, ptrdiff_t first, ptrdiff_t from,
                      double *quaternions, void *adjoint);
};

void orientation_prepare(struct orientation_coefficients *c,
                         const struct orientation_parameters *p, double rate_hz);
/* The one that serves so many sensors fastest on this processor. */
const struct orientation_kernel *orientation_kernel_for(ptrdiff_t sensors);

#endif
