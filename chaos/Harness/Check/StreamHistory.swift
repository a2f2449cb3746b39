/// What one client saw of one stream, as the SDK handed it out.
///
/// The points are kept as digests, so that they can be compared with the truth when that is known to its end.
package struct StreamHistory: Sendable {
    /// The digest of each point from seq 1 on; 0 for one that was not seen.
    package private(set) var points: [UInt32] = []
    /// What our publishers wrote into them; 0 for points of somebody else.
    package private(set) var numbers: [UInt32] = []
    /// Seqs handed out again although the program had them.
    package private(set) var repeated = 0
    /// The same for insights and alerts.
    package private(set) var outputsRepeated = 0
    package private(set) var insights: [Said] = []
    package private(set) var alerts: [Said] = []
    package private(set) var resyncs: [String] = []
    package private(set) var gaps = GapMeter()

    /// An insight or an alert.
    package struct Said: Sendable, Equatable {
        package let seq: UInt64
        package let digest: UInt32
        package init(seq: UInt64, digest: UInt32) {
            self.seq = seq
            self.digest = digest
        }
    }

    package init() {}

    package var last: UInt64 { UInt64(points.count) }

    /// - Parameter digest: never 0.
    package mutating func take(point seq: UInt64, digest: UInt32, number: UInt32 = 0) {
        guard seq > last else {
            repeated += 1
            return
        }
        if number > 0 { numbers.append(number) }
        while last + 1 < seq { points.append(0) }
        points.append(digest)
    }

    package mutating func take(insight said: Said) { take(said, into: \.insights) }
    package mutating func take(alert said: Said) { take(said, into: \.alerts) }

    private mutating func take(_ said: Said, into list: WritableKeyPath<StreamHistory, [Said]>) {
        if let last = self[keyPath: list].last, said.seq <= last.seq { outputsRepeated += 1 }
        self[keyPath: list].append(said)
    }

    /// Something of this stream arrived.
    package mutating func arrived(at seconds: Double) { gaps.arrived(at: seconds) }

    package mutating func take(resync reason: String) { resyncs.append(reason) }
}

/// How long a stream was silent that is never silent by itself.
package struct GapMeter: Sendable {
    /// Shorter silences are not kept, s.
    package static let kept = 0.2

    package struct Gap: Sendable, Equatable {
        package let start: Double
        package let end: Double
        package var length: Double { end - start }
    }

    package private(set) var gaps: [Gap] = []
    package private(set) var longest = 0.0
    private var last: Double?

    package init() {}

    package mutating func arrived(at seconds: Double) {
        if let last {
            let gap = Gap(start: last, end: seconds)
            longest = max(longest, gap.length)
            if gap.length >= GapMeter.kept { gaps.append(gap) }
        }
        last = seconds
    }
}
