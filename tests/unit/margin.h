/*
 * margin.h - what a test may say of time: that something works, or that it does not.
 *
 * Tests run on busy machines and under sanitizers.  A wait ends in failure only after WAIT_MS, a
 * duration is too long only beyond MARGIN_MS of what it should be; how long things really take is
 * measured where the machine is quiet (scripts/bench, scripts/lab).
 */
#pragma once

#define WAIT_MS              60000
#define MARGIN_MS(should_ms) (2 * (should_ms) + 1000)
