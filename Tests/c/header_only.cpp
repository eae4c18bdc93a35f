// The same as C++17: the public header is complete and clean C++, and its functions have C linkage.
#include "header_only.c"
