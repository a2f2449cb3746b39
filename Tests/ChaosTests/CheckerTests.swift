import Testing

@testable import Chaos

/// One stream of three records, published, acknowledged, folded and seen.
private struct Sound {
    var published = Published()
    var truth = Truth()
    var history = StreamHistory()

    init() {
        published.streams["chassis/A"] = .init(sent: 3, acknowledged: 3)
        var stream = Truth.Stream()
        stream.points = [11, 12, 13]
        stream.numbers = [1, 2, 3]
        stream.insights = [.init(seq: 2, digest: 21)]
        truth.streams["chassis/A"] = stream
        for (index, digest) in stream.points.enumerated() { history.take(point: UInt64(index + 1), digest: digest) }
        history.take(insight: .init(seq: 2, digest: 21))
    }

    var findings: Checker.Findings {
        var checker = Checker()
        checker.check(published, against: truth)
        checker.check(client: "c", ["chassis/A": history], against: truth, all: true)
        return checker.findings
    }
}

@Test func `what is sound has no findings`() {
    let findings = Sound().findings
    #expect(findings.isClean)
    #expect(findings.samples.isEmpty)
}

@Test func `an acknowledged record that the log has not is lost`() {
    var run = Sound()
    run.truth.streams["chassis/A"]?.numbers = [1, 3, 0]
    #expect(run.findings.lost == 1)
    #expect(run.findings.samples.first?.contains("record 2") == true)
}

@Test func `a record that was sent and not acknowledged may be missing`() {
    var run = Sound()
    run.published.streams["chassis/A"] = .init(sent: 5, acknowledged: 3)
    #expect(run.findings.isClean)
}

@Test func `a record that counts twice is repeated`() {
    var run = Sound()
    run.truth.streams["chassis/A"]?.numbers = [1, 2, 2]
    #expect(run.findings.repeated == 1)
    #expect(run.findings.lost == 1)
}

@Test func `records in another order than published are reordered`() {
    var run = Sound()
    run.truth.streams["chassis/A"]?.numbers = [1, 3, 2]
    #expect(run.findings.reordered == 1)
    #expect(run.findings.lost == 0)
}

@Test func `a point that a client was never given is lost`() {
    var run = Sound()
    run.history = StreamHistory()
    run.history.take(point: 1, digest: 11)
    run.history.take(point: 3, digest: 13)
    run.history.take(insight: .init(seq: 2, digest: 21))
    #expect(run.findings.lost == 1)
    #expect(run.findings.samples.first?.contains("seq 2") == true)
}

@Test func `a point that a client is given again is repeated`() {
    var run = Sound()
    run.history.take(point: 2, digest: 12)
    #expect(run.findings.repeated == 1)
}

@Test func `a point with other content than the log has is altered`() {
    var run = Sound()
    run.truth.streams["chassis/A"]?.points = [11, 99, 13]
    #expect(run.findings.altered == 1)
}

@Test func `an insight that never came is lost, and one of a client of points alone is not asked for`() {
    var run = Sound()
    run.truth.streams["chassis/A"]?.insights.append(.init(seq: 3, digest: 22))
    #expect(run.findings.lost == 1)
    var checker = Checker()
    checker.check(client: "c", ["chassis/A": run.history], against: run.truth, all: false)
    #expect(checker.findings.isClean)
}

@Test func `a stream that a client never saw is lost as a whole`() {
    let run = Sound()
    var checker = Checker()
    checker.check(client: "c", [:], against: run.truth, all: false)
    #expect(checker.findings.lost == 3)
}

@Test func `a resync is a finding, for nothing of a log that is whole may be withheld`() {
    var run = Sound()
    run.history.take(resync: "log_truncated")
    #expect(run.findings.resyncs == 1)
    #expect(!run.findings.isClean)
}

@Test func `a gap is the time between two arrivals`() {
    var meter = GapMeter()
    for time in [1.0, 1.1, 2.6, 2.7] { meter.arrived(at: time) }
    #expect(meter.gaps == [.init(start: 1.1, end: 2.6)])
    #expect(meter.longest == 1.5)
}

@Test func `replicas agree when each shard has all of them with the hash of the log's fold`() {
    let mark = Truth.ShardMark(offset: 9, hash: "aa")
    let hosted = ["n1", "n2"].map { HostedMark(node: $0, partition: 0, mark: mark) }
    let check = HashCheck(hosted, against: [0: mark], replicas: 2)
    #expect(check.isAgreed)
    #expect(check.equal == 2)
}

@Test func `another hash at the same offset is no matter of waiting`() {
    let mark = Truth.ShardMark(offset: 9, hash: "aa")
    let hosted = [
        HostedMark(node: "n1", partition: 0, mark: mark),
        HostedMark(node: "n2", partition: 0, mark: .init(offset: 9, hash: "bb")),
    ]
    let check = HashCheck(hosted, against: [0: mark], replicas: 2)
    #expect(!check.isAgreed)
    #expect(check.behind == 0)
    #expect(check.problems == ["shard 0 at n2 has hash bb, the log's fold aa"])
}

@Test func `a replica that is behind or missing may come yet`() {
    let mark = Truth.ShardMark(offset: 9, hash: "aa")
    let hosted = [HostedMark(node: "n1", partition: 0, mark: .init(offset: 8, hash: "aa"))]
    let check = HashCheck(hosted, against: [0: mark], replicas: 2)
    #expect(!check.isAgreed)
    #expect(check.behind == 2)
}
