-- The operator checks the times, and answers in status.lastHandledReplay.
local from = actionParams["from"] or ""
local to = actionParams["to"] or ""
if from == "" or to == "" then
  error("enter from and to, as times in UTC such as 2026-11-27T08:00:00Z", 0)
end
if obj.metadata.annotations == nil then
  obj.metadata.annotations = {}
end
obj.metadata.annotations["konnect-audit-log.io/replay"] = from .. "/" .. to
return obj
