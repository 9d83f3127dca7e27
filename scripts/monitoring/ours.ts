/** Selects the series of this operator. Series of other processes have the same names. Ours come from a process that also has our build info. */
export const ours = 'and on (instance, job) konnect_audit_log_build_info';
