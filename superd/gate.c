/* gate.c - see gate.h. */
#include "bounds.h"
#include "gate.h"

bool
gate_passes(struct gate *gate, uint64_t now_ms)
{
	if (gate->passed == 0 || now_ms - gate->since >= GATE_MS) {
		gate->since = now_ms;
		gate->passed = 0;
	}
	if (gate->passed < GATE_BURST) {
		gate->passed++;
		return true;
	}
	if (gate->held == 0)
		gate->held_since = now_ms;
	if (gate->held < UINT32_MAX)
		gate->held++;
	return false;
}

uint32_t
gate_take_held(struct gate *gate, uint64_t now_ms)
{
	uint32_t held = gate->held;

	if (held == 0 || now_ms - gate->held_since < GATE_MS)
		return 0;
	gate->held = 0;
	return held;
}
