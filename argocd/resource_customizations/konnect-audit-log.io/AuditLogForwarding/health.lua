-- Returns the health of an AuditLogForwarding from its conditions. Progressing: the operator retries. Degraded: a user must act.
-- It uses only Lua's base library, because a script in argocd-cm has no other.
local status = obj.status or {}
local conditions = {}
for _, condition in ipairs(status.conditions or {}) do
  conditions[condition.type] = condition
end

local function answer(health, condition, otherwise)
  local message = otherwise
  if condition ~= nil and condition.message ~= nil and condition.message ~= "" then
    message = condition.reason .. ": " .. condition.message
  end
  return { status = health, message = message }
end

local function isTrue(type)
  return conditions[type] ~= nil and conditions[type].status == "True"
end

local ready = conditions["Ready"]
local seen = status.observedGeneration == obj.metadata.generation

-- Argo CD reports "Pending deletion" without running this script. Other callers get the reason.
if obj.metadata.deletionTimestamp ~= nil then
  return answer("Progressing", ready, "Being deleted")
end
if obj.spec ~= nil and obj.spec.suspend == true then
  return { status = "Suspended", message = "Nothing is written to Konnect while spec.suspend is true" }
end
if not seen then
  return { status = "Progressing", message = "Waiting for the operator to see generation " .. (obj.metadata.generation or 1) }
end
if isTrue("Stalled") then
  return answer("Degraded", conditions["Stalled"], "Stalled")
end
if isTrue("Reconciling") then
  return answer("Progressing", conditions["Reconciling"], "Reconciling")
end
if ready == nil or ready.status == "Unknown" then
  return answer("Progressing", ready, "Waiting for the operator's report")
end
if ready.status == "True" then
  return answer("Healthy", ready, "Ready")
end
-- The operator is not retrying.
return answer("Degraded", ready, "Not ready")
