/* Covariance of the nine errors of `strapdown.pyx`: velocity v, attitude a, gyroscope bias b.
 *
 * In C for its `restrict`: a compiler that knows that a result overlaps no operand keeps the
 * operands in registers, and one sample takes half as long.
 */

#ifndef EVENSTRIDE_STRAPDOWN_COVARIANCE_H
#define EVENSTRIDE_STRAPDOWN_COVARIANCE_H

/* Blocks of three by three, row by row; those below the diagonal are the transposed ones above. */
typedef struct {
    double vv[9], va[9], vb[9], aa[9], ab[9], bb[9];
} Covariance;

/* What is kept of it of every sample for the way back, which multiplies it with nothing but an
 * error's cause: seven digits, which change a velocity by less than 1e-6 m/s in walking, are plenty,
 * and half as much to carry through the memory. */
typedef struct {
    float vv[9], va[9], vb[9], aa[9], ab[9], bb[9];
} Kept;

static inline void keep(const Covariance *restrict P, Kept *restrict out)
{
    for (int i = 0; i < 9; i++) {
        out->vv[i] = (float)P->vv[i];
        out->va[i] = (float)P->va[i];
        out->vb[i] = (float)P->vb[i];
        out->aa[i] = (float)P->aa[i];
        out->ab[i] = (float)P->ab[i];
        out->bb[i] = (float)P->bb[i];
    }
}

/* out += X Y */
static inline void add_product(const double *restrict X, const double *restrict Y,
                               double *restrict out)
{
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            out[3 * i + j] += X[3 * i] * Y[j] + X[3 * i + 1] * Y[3 + j] + X[3 * i + 2] * Y[6 + j];
}

/* out += X Y' */
static inline void add_product_t(const double *restrict X, const double *restrict Y,
                                 double *restrict out)
{
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            out[3 * i + j] += X[3 * i] * Y[3 * j] + X[3 * i + 1] * Y[3 * j + 1]
                              + X[3 * i + 2] * Y[3 * j + 2];
}

/* out += -[u]x Y */
static inline void add_crossed(const double *restrict u, const double *restrict Y,
                               double *restrict out)
{
    for (int j = 0; j < 3; j++) {
        out[j] += u[2] * Y[3 + j] - u[1] * Y[6 + j];
        out[3 + j] += u[0] * Y[6 + j] - u[2] * Y[j];
        out[6 + j] += u[1] * Y[j] - u[0] * Y[3 + j];
    }
}

/* out += -[u]x Y' */
static inline void add_crossed_t(const double *restrict u, const double *restrict Y,
                                 double *restrict out)
{
    for (int j = 0; j < 3; j++) {
        out[j] += u[2] * Y[3 * j + 1] - u[1] * Y[3 * j + 2];
        out[3 + j] += u[0] * Y[3 * j + 2] - u[2] * Y[3 * j];
        out[6 + j] += u[1] * Y[3 * j] - u[0] * Y[3 * j + 1];
    }
}

/* out += X (-[u]x)' */
static inline void add_t_crossed(const double *restrict X, const double *restrict u,
                                 double *restrict out)
{
    for (int i = 0; i < 3; i++) {
        out[3 * i] += u[2] * X[3 * i + 1] - u[1] * X[3 * i + 2];
        out[3 * i + 1] += u[0] * X[3 * i + 2] - u[2] * X[3 * i];
        out[3 * i + 2] += u[1] * X[3 * i] - u[0] * X[3 * i + 1];
    }
}

/* P <- F P F' with F = [[I, -[u]x, 0], [0, I, T], [0, 0, I]]. */
static inline void propagate(Covariance *restrict P, const double *restrict u,
                             const double *restrict T)
{
    /* F P: each block takes from one below it that has not been changed yet ... */
    add_crossed_t(u, P->va, P->vv);
    add_crossed(u, P->aa, P->va);
    add_crossed(u, P->ab, P->vb);
    add_product_t(T, P->ab, P->aa);
    add_product(T, P->bb, P->ab);
    /* ... and (F P) F' likewise, from the one to its right. */
    add_t_crossed(P->va, u, P->vv);
    add_product_t(P->vb, T, P->va);
    add_product_t(P->ab, T, P->aa);
}

/* out -= x y' */
static inline void take_product(const double *restrict x, const double *restrict y,
                                double *restrict out)
{
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            out[3 * i + j] -= x[i] * y[j];
}

/* P <- P - x y', which is symmetric */
static inline void reduce(Covariance *restrict P, const double *restrict x,
                          const double *restrict y)
{
    take_product(x, y, P->vv);
    take_product(x, y + 3, P->va);
    take_product(x, y + 6, P->vb);
    take_product(x + 3, y + 3, P->aa);
    take_product(x + 3, y + 6, P->ab);
    take_product(x + 6, y + 6, P->bb);
}

/* The column of one velocity (0 to 2) or attitude error (3 to 5), times a gain. */
static inline void column(const Covariance *restrict P, int at, double gain,
                          double *restrict col)
{
    for (int i = 0; i < 3; i++) {
        col[i] = gain * (at < 3 ? P->vv[3 * i + at] : P->va[3 * i + at - 3]);
        col[3 + i] = gain * (at < 3 ? P->va[3 * at + i] : P->aa[3 * i + at - 3]);
        col[6 + i] = gain * (at < 3 ? P->vb[3 * at + i] : P->ab[3 * (at - 3) + i]);
    }
}

/* d = -P x */
static inline void negative_product(const Kept *restrict P, const double *restrict x,
                                    double *restrict d)
{
    for (int i = 0; i < 3; i++) {
        double v = 0.0, a = 0.0, b = 0.0;
        for (int j = 0; j < 3; j++) {
            v += P->vv[3 * i + j] * x[j] + P->va[3 * i + j] * x[3 + j] + P->vb[3 * i + j] * x[6 + j];
            a += P->va[3 * j + i] * x[j] + P->aa[3 * i + j] * x[3 + j] + P->ab[3 * i + j] * x[6 + j];
            b += P->vb[3 * j + i] * x[j] + P->ab[3 * j + i] * x[3 + j] + P->bb[3 * i + j] * x[6 + j];
        }
        d[i] = -v;
        d[3 + i] = -a;
        d[6 + i] = -b;
    }
}

#endif
