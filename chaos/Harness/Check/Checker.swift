/// Compares what was published, what the log holds and what clients saw. Pure.
package struct Checker {
    /// What is wrong, counted. All must be 0.
    package struct Findings: Sendable, Equatable {
        /// Acknowledged records that the log's fold does not have, or points that a client was never given.
        package var lost = 0
        /// Records that count twice, or outputs that a client was given twice.
        package var repeated = 0
        /// Records of one publisher and stream in another order than they were published.
        package var reordered = 0
        /// Outputs that a client got with other content than the log's fold has.
        package var altered = 0
        /// Places where a client was told that something cannot be given.
        package var resyncs = 0
        /// Where it was seen, a few of each.
        package var samples: [String] = []

        package init() {}

        package var isClean: Bool { lost + repeated + reordered + altered + resyncs == 0 }

        fileprivate mutating func note(_ text: String) {
            if samples.count < 12 { samples.append(text) }
        }
    }

    package private(set) var findings = Findings()

    package init() {}

    // MARK: Publishers against the log

    package mutating func check(_ published: Published, against truth: Truth) {
        for (name, count) in published.streams.sorted(by: { $0.key < $1.key }) {
            check(name, count, truth.streams[name]?.numbers ?? [])
        }
    }

    private mutating func check(_ name: String, _ count: Published.Count, _ numbers: [UInt32]) {
        var seen = [Bool](repeating: false, count: Int(count.sent) + 1)
        var highest: UInt32 = 0
        for number in numbers where number > 0 && number <= count.sent {
            if seen[Int(number)] {
                findings.repeated += 1
                findings.note("\(name): record \(number) counts twice")
            } else if number < highest {
                findings.reordered += 1
                findings.note("\(name): record \(number) comes after \(highest)")
            }
            seen[Int(number)] = true
            highest = max(highest, number)
        }
        for number in 1..<max(1, Int(count.acknowledged) + 1) where !seen[number] {
            findings.lost += 1
            findings.note("\(name): record \(number) was acknowledged and is not in the log")
        }
    }

    // MARK: Clients against the log

    package mutating func check(client: String, _ history: [String: StreamHistory], against truth: Truth, all: Bool) {
        for (name, stream) in truth.streams.sorted(by: { $0.key < $1.key }) {
            let seen = history[name] ?? StreamHistory()
            let place = "\(client), \(name)"
            checkPoints(seen, stream, place)
            if all {
                checkSaid("insight", seen.insights, stream.insights, place)
                checkSaid("alert", seen.alerts, stream.alerts, place)
            }
        }
        for name in history.keys.sorted() where truth.streams[name] == nil {
            findings.altered += 1
            findings.note("\(client): \(name) is not in the log")
        }
    }

    /// Where the log cannot be read: what a client saw of our own streams stands for it.
    package mutating func check(client: String, _ history: [String: StreamHistory], of published: Published) {
        for (name, count) in published.streams.sorted(by: { $0.key < $1.key }) {
            let seen = history[name] ?? StreamHistory()
            check("\(client), \(name)", count, seen.numbers)
            findings.repeated += seen.repeated + seen.outputsRepeated
            findings.resyncs += seen.resyncs.count
            for reason in Set(seen.resyncs).sorted() { findings.note("\(client), \(name): resync, \(reason)") }
        }
    }

    private mutating func checkPoints(_ seen: StreamHistory, _ truth: Truth.Stream, _ place: String) {
        findings.repeated += seen.repeated + seen.outputsRepeated
        if seen.repeated + seen.outputsRepeated > 0 {
            findings.note("\(place): \(seen.repeated) points and \(seen.outputsRepeated) other outputs came twice")
        }
        findings.resyncs += seen.resyncs.count
        for reason in Set(seen.resyncs).sorted() { findings.note("\(place): resync, \(reason)") }
        for (index, digest) in truth.points.enumerated() {
            let got = index < seen.points.count ? seen.points[index] : 0
            if got == 0 {
                findings.lost += 1
                findings.note("\(place): seq \(index + 1) of \(truth.points.count) never came")
            } else if got != digest {
                findings.altered += 1
                findings.note("\(place): seq \(index + 1) is another than in the log")
            }
        }
        if seen.points.count > truth.points.count {
            findings.altered += seen.points.count - truth.points.count
            findings.note("\(place): has \(seen.points.count) points, the log \(truth.points.count)")
        }
    }

    private mutating func checkSaid(
        _ what: String, _ seen: [StreamHistory.Said], _ truth: [StreamHistory.Said], _ place: String
    ) {
        let got = Dictionary(seen.map { ($0.seq, $0.digest) }, uniquingKeysWith: { first, _ in first })
        for said in truth {
            guard let digest = got[said.seq] else {
                findings.lost += 1
                findings.note("\(place): the \(what) at seq \(said.seq) never came")
                continue
            }
            guard digest != said.digest else { continue }
            findings.altered += 1
            findings.note("\(place): the \(what) at seq \(said.seq) is another than in the log")
        }
    }
}
