/// What passed since the start. For metrics.
package struct GossipCounters: Sendable, Equatable {
    package var packetsIn = 0
    package var packetsOut = 0
    /// Of datagrams, as sealed, without the headers of UDP and IP.
    package var packetBytesIn = 0
    package var packetBytesOut = 0
    package var framesIn = 0
    package var framesOut = 0
    package var streamBytesIn = 0
    package var streamBytesOut = 0
    /// Datagrams and frames dropped because the key does not open them, or longer than any can be.
    package var unreadable = 0
    /// Opened, but nothing that a node of this version says.
    package var malformed = 0
    /// Of another cluster.
    package var foreign = 0
    /// Datagrams the system did not take; lost like any other.
    package var sendFailures = 0
    /// Connections that came, and those this node opened.
    package var streamsAccepted = 0
    package var streamsOpened = 0
    /// Connections or datagrams to which a machine answered that nobody listens there.
    package var refused = 0
    /// Reports not handed on; see `ReportGate`.
    package var reportsRepeated = 0
    /// 0 is well; see `Membership.healthScore`. A gauge.
    package var healthScore = 0

    package init() {}
}
