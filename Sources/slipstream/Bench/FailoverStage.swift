import Client

/// What all clusters of a failover bench gave.
struct FailoverResults {
    /// ms between two records of a car.
    var interval = 0.0
    /// ms, of each cluster: the longest pause when nothing happens.
    var steady: [Double] = []
    /// ms, of each fault.
    var pauses: [FailoverBench.Fault: [Double]] = [:]
    var lost = 0
    var repeated = 0
    var resyncs = 0
}

/// A cluster under load and a client that hears all of it, ready for faults.
struct FailoverStage: Sendable {
    let course: FailoverCourse
    private let race: SteadyRace
    private let client: SlipstreamClient
    private let listening: Task<Void, Never>

    init(_ cluster: BenchCluster, rate: Int, freeze: Duration, journal: BenchJournal) async throws {
        try await cluster.start()
        let race = try SteadyRace(kafka: cluster.kafka, cars: FailoverBench.cars, rate: rate)
        let client = try SlipstreamClient(urls: cluster.urls)
        let watch = RaceWatch()
        self.race = race
        self.client = client
        course = FailoverCourse(
            cluster: cluster, watch: watch, served: ServedBy(client, journal), journal: journal, freeze: freeze,
            streams: FailoverBench.cars)
        listening = Task { await watch.listen(client) }
        race.start()
        guard await watch.awaitAll(FailoverBench.cars, times: 100, within: .seconds(20)) else {
            throw BenchError("the client does not hear all streams: \(watch.failure ?? journal.tail)")
        }
    }

    var intervalMilliseconds: Double { Double(race.interval) / 1_000_000 }

    /// Ends the cluster and counts what was lost on the whole, or came again.
    func end(into results: inout FailoverResults) async throws {
        try race.stop()
        let watch = course.watch
        let hasAll = await watch.awaitAll(through: race.steps, within: .seconds(10))
        course.journal.note(hasAll ? "all records were heard" : "records are missing")
        results.lost += watch.counts.lost + watch.missing(through: race.steps)
        results.repeated += watch.counts.repeated
        results.resyncs += watch.counts.resyncs
        listening.cancel()
        await client.close()
        try course.cluster.close()
    }
}
