import Delivery
import Telemetry
import Web

/// A program's way to Slipstream: live updates of streams, and publishing.
///
/// ```swift
/// let client = try SlipstreamClient("ws://localhost:8081")
/// for try await update in client.updates(of: "chassis/GR86-006-7") {
///     if case .insight(let insight) = update { print(insight["lap_tire_stress"] ?? 0) }
/// }
/// ```
/// Each sequence and each publisher has a connection of its own; all connections share one thread. Lost connections are
/// made again and gone on with where they were; ``status`` tells of them.
public final class SlipstreamClient: Sendable {
    private let core: ClientCore

    /// - Parameter urls: nodes to begin with, `ws://host:port`. With several, a lost connection is made again at once
    ///   on the next.
    /// - Throws: `.badURL`.
    public init(_ urls: String..., settings: ClientSettings = ClientSettings()) throws(SlipstreamError) {
        core = try SlipstreamClient.makeCore(urls, settings)
    }

    public init(urls: [String], settings: ClientSettings = ClientSettings()) throws(SlipstreamError) {
        core = try SlipstreamClient.makeCore(urls, settings)
    }

    /// For tests: another way to connect.
    package init(over transport: any Transport, urls: [String], settings: ClientSettings) {
        core = ClientCore(urls: urls, settings: settings, transport: transport)
    }

    /// Live updates of one stream (`chassis/GR86-006-7`) or all of a kind (`chassis/*`).
    ///
    /// - Parameter include: leave out what you do not need: it is then not sent.
    /// - Parameter from: where to begin; lost connections always go on where they were.
    public func updates(
        of streams: String..., include: UpdateKinds = .all, from: StartPoint = .latest,
        behavior: DeliveryBehavior = .every
    ) -> UpdateSequence {
        updates(of: streams, include: include, from: from, behavior: behavior)
    }

    public func updates(
        of streams: [String], include: UpdateKinds = .all, from: StartPoint = .latest,
        behavior: DeliveryBehavior = .every
    ) -> UpdateSequence {
        let request = Result { () throws(SlipstreamError) in
            SubscribeRequest(
                id: SubscriptionSession.id, streams: try SlipstreamClient.patterns(streams),
                include: include.outputKinds, from: try from.checked(), behavior: behavior.behavior)
        }
        return UpdateSequence(Subscription(core, request, streams: streams))
    }

    /// The telemetry of streams, point by point.
    public func points(
        of streams: String..., from: StartPoint = .latest, behavior: DeliveryBehavior = .every
    ) -> PointSequence {
        PointSequence(updates(of: streams, include: .telemetry, from: from, behavior: behavior))
    }

    /// Publishes under a name and with numbers, so that nothing counts twice.
    ///
    /// - Parameter source: a name that is yours alone; at most one publisher uses it at a time. Without one a random
    ///   name is used.
    /// - Parameter startingAt: the number of the first publish. What nodes have taken from this source under a number
    ///   before is a repeat and is dropped, so a program that uses a name again goes on after
    ///   ``SlipstreamPublisher/acknowledgedThrough``.
    public func publisher(source: String? = nil, startingAt: UInt64 = 1) -> SlipstreamPublisher {
        var random = SystemRandomNumberGenerator()
        let name = source ?? "sdk-\(String(random.next(), radix: 16))"
        return SlipstreamPublisher(core, source: name, firstSeq: max(1, startingAt))
    }

    /// What happens to the connections, from now on; the oldest events are dropped when nobody reads.
    public var status: AsyncStream<ConnectionEvent> { core.observe() }

    /// Ends all sequences and publishers and the thread. `flush` publishers first. The client cannot be used again.
    public func close() async { core.close() }

    private static func makeCore(_ urls: [String], _ settings: ClientSettings) throws(SlipstreamError) -> ClientCore {
        guard !urls.isEmpty else { throw .badURL("") }
        var endpoints: [WebEndpoint] = []
        for url in urls {
            do throws(WebError) {
                endpoints.append(try WebEndpoint(stream: url))
            } catch { throw .badURL(url) }
        }
        do throws(WebError) {
            let transport = try WebTransport(to: endpoints, timeout: settings.connectTimeout)
            return ClientCore(urls: urls, settings: settings, transport: transport)
        } catch { throw .cannotStart(reason: error.description) }
    }

    private static func patterns(_ streams: [String]) throws(SlipstreamError) -> [StreamPattern] {
        guard !streams.isEmpty else { throw .badStream("") }
        var patterns: [StreamPattern] = []
        for stream in streams {
            guard let pattern = StreamPattern(stream) else { throw .badStream(stream) }
            patterns.append(pattern)
        }
        return patterns
    }
}
