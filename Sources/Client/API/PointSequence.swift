/// Single points instead of updates: the telemetry of one or more streams.
///
/// A point counts as handled when the next one is asked for. Where something cannot be given (see ``Resync``) the points
/// go on behind it: `seq` shows the gap, and ``UpdateSequence`` tells the reason.
public struct PointSequence: AsyncSequence, Sendable {
    public typealias Element = StreamPoint
    public typealias Failure = SlipstreamError

    private let updates: UpdateSequence

    init(_ updates: UpdateSequence) { self.updates = updates }

    /// How far the program is; see ``UpdateSequence/positions``.
    public var positions: Positions { updates.positions }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(updates: updates.makeAsyncIterator()) }

    public struct AsyncIterator: AsyncIteratorProtocol {
        private var updates: UpdateSequence.AsyncIterator
        private var current: TelemetryUpdate?
        private var place = 0

        init(updates: UpdateSequence.AsyncIterator) { self.updates = updates }

        public mutating func next() async throws(SlipstreamError) -> StreamPoint? {
            try await next(isolation: #isolation)
        }

        public mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(SlipstreamError) -> StreamPoint? {
            if place > 0, let point = current?.points[place - 1] { updates.finish(point: point.seq) }
            while true {
                if let current, place < current.points.count {
                    defer { place += 1 }
                    return StreamPoint(streamID: current.streamID, point: current.points[place])
                }
                (current, place) = (nil, 0)
                guard let update = try await updates.next(isolation: actor) else { return nil }
                if case .telemetry(let telemetry) = update { current = telemetry }
            }
        }
    }
}
