#pragma once
// Nothing to call: <threads.h> as the thread sanitizer can see it, for C libraries that use it; see threads.c.
