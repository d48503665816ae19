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

/* Aligned, so that no vector straddles two cache lines: allocate states and records likewise. */
#define LANES_ALIGNMENT (LANES * sizeof(double))
typedef double lanes[LANES] __attribute__((aligned(LANES * 8)));

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

void orientation_prepare(struct orientation_coefficients *c,
                         const struct orientation_parameters *p, double rate_hz);
void orientation_begin(struct orientation_state *s, const struct orientation_coefficients *c);

/* Filters samples [from, to) of sensors [first, first + LANES); writes `quaternions`, (n, k, 4).
   `records` is null or has room for every step that ends within. Returns their number. */
ptrdiff_t orientation_run(struct orientation_state *s, const struct orientation_coefficients *c,
                          const struct orientation_samples *in, ptrdiff_t first, ptrdiff_t from,
                          ptrdiff_t to, double *quaternions, struct orientation_record *records);

/* Corrects the quaternions of the `count` steps whose samples begin at `from` by what came
   later. `adjoint` and `later` carry the look back from piece to piece; zero at the very end. */
void orientation_look_back(const struct orientation_coefficients *c,
                           const struct orientation_record *records, ptrdiff_t count,
                           ptrdiff_t k, ptrdiff_t first, ptrdiff_t from, double *quaternions,
                           lanes *adjoint, lanes *later);

#endif
