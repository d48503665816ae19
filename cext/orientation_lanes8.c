/* Eight lanes: one vector of AVX-512 holds a double of each of eight sensors. */

#if defined(__x86_64__) && defined(__GNUC__)

#define LANES 8
#define KERNEL orientation_kernel_8
#define RUN orientation_run_8
#define LOOK_BACK orientation_look_back_8
#define VERSIONS __attribute__((target("avx512f")))

#include "orientation_kernel.c"

#endif
