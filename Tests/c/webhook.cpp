// The same as C++17.
#include "webhook.c"
