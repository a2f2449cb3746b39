import Glibc
import struct Sharding.Membership
import struct Sharding.NodeID
import struct Sharding.NodeTable
import enum Sharding.NodeTableError
import struct Sharding.PeerAddress
import Threads

/// Keeps a node in touch with all others: sockets, a thread, and `Membership` between them.
///
/// The handlers are called on that thread, one at a time: they must be quick, and must not call `leave` or `stop`.
package final class GossipThread: Sendable {
    private struct Threads {
        var worker: Worker?
        var resolver: SeedResolver?
        var wasStarted = false
    }
    /// Where others reach this node.
    package let advertised: PeerAddress
    private let configuration: GossipConfiguration
    private let sockets: BoundSockets
    private let seeds: SeedBook
    let shared: GossipShared
    private let threads = Monitor(Threads())

    /// Opens the sockets; nothing is sent before `start`. May look up the names in `bind` and `advertise`, and wait for it.
    package init(_ configuration: GossipConfiguration) throws(GossipError) {
        self.configuration = configuration
        let bind = try Self.address(of: configuration.bind, field: "--gossip-bind", family: AF_INET6)
        sockets = try BoundSockets(bind)
        advertised = try Self.advertised(configuration, sockets)
        seeds = try configuration.seeds(sockets.family)
        shared = try GossipShared()
    }

    deinit { stop() }

    /// Of UDP and TCP.
    package var port: Int { Int(sockets.address.port) }
    /// As last told to `onChange`, this node with them; empty before the start.
    package var members: [GossipMember] { shared.status.withLock(\.members) }
    package var counters: GossipCounters { shared.status.withLock(\.counters) }

    /// Joins. Once only.
    ///
    /// - Parameters:
    ///   - onChange: all nodes known, sorted, this one with them; once at the start, then after each change, several at
    ///     once counted as one. A table this node publishes is in the next, but brings none about.
    ///   - onReport: what should be logged. The same again about the same peer within 10 s is only counted.
    /// - Throws: `.system` when there is no thread left.
    package func start(
        onChange: @escaping @Sendable ([GossipMember]) -> Void,
        onReport: @escaping @Sendable (GossipReport) -> Void
    ) throws(GossipError) {
        let handlers = GossipLoop.Handlers(onChange: onChange, onReport: onReport)
        do throws(ThreadError) {
            try threads.withLock { threads throws(ThreadError) in
                precondition(!threads.wasStarted, "gossip of \(configuration.own) was started twice, or after it ended")
                threads.wasStarted = true
                let resolver = try makeResolver()
                threads.resolver = resolver
                threads.worker = try makeWorker(handlers) { resolver?.ask() }
            }
        } catch {
            throw .system(attempt: "starting gossip", reason: error.description)
        }
    }

    /// Tells all others. From any thread, before the start as well; of several in a row the last counts.
    ///
    /// - Throws: `.tooLarge`; the table before stays.
    package func publish(_ table: NodeTable) throws(NodeTableError) {
        _ = try table.encoded()
        shared.post { $0.table = table }
    }

    /// A standing connection to that node was reset: it is suspected at once. From any thread.
    package func peerReset(_ node: NodeID) {
        shared.post { $0.resets.insert(node) }
    }

    /// Says goodbye and ends, within 2 s. Does nothing when it has ended already.
    package func leave() {
        shared.post { $0.isLeaving = true }
        if threads.withLock({ $0.worker != nil }) {
            shared.status.when(\.hasEnded, orAfter: .seconds(2)) { _ in }
        }
        stop()
    }

    /// Ends without a word, as a crash would: the others take this node for dead in a while.
    package func stop() {
        shared.post { $0.isStopped = true }
        let ended = threads.withLock { threads in
            defer { (threads.worker, threads.resolver, threads.wasStarted) = (nil, nil, true) }
            return threads
        }
        ended.worker?.join()
        ended.resolver?.stop()
    }
}

// MARK: Parts

extension GossipThread {
    private func makeResolver() throws(ThreadError) -> SeedResolver? {
        guard !seeds.names.isEmpty else { return nil }
        let shared = shared
        return try SeedResolver(seeds.names, family: sockets.family) { answer in
            shared.post { $0.answer = answer }
        }
    }

    private func makeWorker(
        _ handlers: GossipLoop.Handlers, askResolver: @escaping @Sendable () -> Void
    ) throws(ThreadError) -> Worker {
        let (configuration, sockets, seeds, shared) = (configuration, sockets, seeds, shared)
        let membership = Membership(
            configuration.own, at: advertised, boot: configuration.boot, settings: configuration.settings,
            timing: configuration.timing)
        return try Worker("gossip") {
            let loop = GossipLoop(
                membership, shared, sockets, Seal(configuration.key), seeds, handlers, askResolver: askResolver)
            loop.run()
            shared.status.update { $0.hasEnded = true }
        }
    }

    private static func address(
        of name: HostPort, field: String, family: Int32
    ) throws(GossipError) -> PeerAddress {
        do throws(AddressLookup.Failure) {
            let found = try AddressLookup.addresses(of: name, family: family)
            return found.first { $0.ipv4 != nil } ?? found[0]
        } catch {
            throw .unresolved(field: field, value: name.host, reason: error.reason)
        }
    }

    private static func advertised(
        _ configuration: GossipConfiguration, _ sockets: BoundSockets
    ) throws(GossipError) -> PeerAddress {
        let bound = sockets.address
        if let name = configuration.advertise {
            let address = try address(of: name, field: "--gossip-advertise", family: sockets.family)
            guard !address.isUnspecified else {
                throw .invalid(field: "--gossip-advertise", value: name.host, allowed: "an address others can reach")
            }
            return name.port == 0 ? address.with(port: bound.port) : address
        }
        guard bound.isUnspecified else { return bound }
        // Of IPv4 first: there a way out is the more usual.
        guard let outward = PeerAddress.outward(AF_INET) ?? PeerAddress.outward(sockets.family) else {
            throw .advertiseUnknown
        }
        return outward.with(port: bound.port)
    }
}
