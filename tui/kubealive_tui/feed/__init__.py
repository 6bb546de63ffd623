"""Where signals come from: a live agent, or a recording of one."""
