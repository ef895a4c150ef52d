// Formulas are written once and compiled for host and device.
#pragma once

#ifdef __CUDACC__
#define SQUALL_HD __host__ __device__
#else
#define SQUALL_HD
#endif
