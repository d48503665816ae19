/* Four lanes: for up to four sensors, and for processors without wider vectors. The loader picks
   the version for the processor at hand: wheels stay portable. Without fused multiply-add (see
   setup.py) all versions give the same bits. */

#include <string.h> /* says whether this is glibc */

#define LANES 4
#define KERNEL orientation_kernel_4
#define RUN orientation_run_4
#define LOOK_BACK orientation_look_back_4
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__)
#define VERSIONS __attribute__((target_clones("default", "avx2")))
#else
#define VERSIONS
#endif

#include "orientation_kernel.c"
