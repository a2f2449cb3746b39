import struct Sharding.ClusterSettings
import struct Sharding.NodeID
import struct Sharding.SwimTiming

/// What gossip needs to know. Checked by `GossipThread.init`.
package struct GossipConfiguration: Sendable {
    package var own: NodeID
    /// The same on all nodes of a cluster; others are refused. Put the cluster's name in as well.
    package var settings: ClusterSettings
    package var timing = SwimTiming.standard
    package var key: GossipKey?
    /// Where to listen, UDP and TCP. An IPv4 address serves IPv4 alone; `::` serves both. Port 0 takes a free one.
    package var bind = HostPort(host: "0.0.0.0", port: 7_946)
    /// Where others reach this node, if not at `bind`: host, port 0 for the same port. Must be an address of its own, for
    /// it is how the node is told from its peers. Where neither names one address, it is that of the default route.
    package var advertise: HostPort?
    /// `host:port` of some nodes; without a port, that of `bind`. Its own does no harm.
    package var join: [String] = []
    /// The name of a headless service, whose addresses are those of all nodes; without a port, that of `bind`.
    package var joinDNS: String?
    /// ms since 1970 now; see `Stamp`.
    package var boot: UInt64

    package init(own: NodeID, settings: ClusterSettings, boot: UInt64) {
        self.own = own
        self.settings = settings
        self.boot = boot
    }
}

extension GossipConfiguration {
    /// - Parameter family: of the socket.
    func seeds(_ family: Int32) throws(GossipError) -> SeedBook {
        var (fixed, names) = (SeedBook(fixed: [], names: []).fixed, [HostPort]())
        let port = bind.port == 0 ? nil : bind.port
        var texts = join.map { (field: "--join", text: $0) }
        if let joinDNS { texts.append(("--join-dns", joinDNS)) }
        for (field, text) in texts {
            let name = try HostPort(text, field: field, port: port)
            guard name.port != 0 else {
                throw .invalid(field: field, value: text, allowed: "host:port, the port not 0")
            }
            if let addresses = try? AddressLookup.addresses(of: name, family: family, isNumeric: true) {
                fixed += addresses
            } else {
                names.append(name)
            }
        }
        return SeedBook(fixed: fixed, names: names)
    }
}
