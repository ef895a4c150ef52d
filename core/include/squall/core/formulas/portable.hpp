// Formulas are written once and compiled for host and device. On the host they are always inlined: a copy kept by a
// file compiled for wide vectors must never be the one that other files are linked to.
#pragma once

#ifdef __CUDACC__
#define SQUALL_HD __host__ __device__
#else
#define SQUALL_HD [[gnu::always_inline]]
#endif
