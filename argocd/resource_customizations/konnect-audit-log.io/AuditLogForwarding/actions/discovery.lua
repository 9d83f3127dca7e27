local deleting = obj.metadata.deletionTimestamp ~= nil
local suspended = obj.spec ~= nil and obj.spec.suspend == true

return {
  reconcile = {
    displayName = "Reconcile now",
    iconClass = "fa fa-fw fa-redo",
    disabled = deleting or suspended,
  },
  replay = {
    displayName = "Replay a period",
    iconClass = "fa fa-fw fa-history",
    params = { { name = "from" }, { name = "to" } },
    disabled = deleting or suspended,
  },
  suspend = {
    displayName = "Suspend",
    iconClass = "fa fa-fw fa-pause",
    disabled = deleting or suspended,
  },
  resume = {
    displayName = "Resume",
    iconClass = "fa fa-fw fa-play",
    disabled = deleting or not suspended,
  },
}
