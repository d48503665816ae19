/* Covariance of the error state: its two operations, and the measurement of a scalar. */

#ifndef EVENSTRIDE_ORIENTATION_COVARIANCE_H
#define EVENSTRIDE_ORIENTATION_COVARIANCE_H

#include "orientation_lanes.h"

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

#endif
