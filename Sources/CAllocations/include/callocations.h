#pragma once
#include <stdint.h>

/// How often this thread has asked for heap memory since it began, Swift objects included; 0 for ever where a
/// sanitizer owns `malloc`.
uint64_t call_allocations(void);
