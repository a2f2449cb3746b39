import Client
import Delivery
import Sharding
import Simulation
import Telemetry

/// Programs with the SDK's sessions, and what they check.
extension ClusterWorld {
    static let chassis = ["GR86-1", "GR86-2", "GR86-3", "GR86-4", "GR86-5"]

    func addClient(_ number: Int) {
        let urls = nodes.indices.shuffled(using: &random)
        var timing = Timing()
        timing.silence = variant == .ignoresSilence ? .seconds(10_000) : Self.silence
        if number < 2 {
            let session = PublisherSession(
                source: "p\(number)", firstSeq: 1, urlCount: urls.count, timing: timing)
            clients.append(SimulatedClient(number: number, session, urls: urls, remaining: 60))
            queue.add(.publish(number), at: .milliseconds(800))
        } else {
            let stream = StreamID(.chassis, Self.chassis[number % Self.chassis.count])
            let request = SubscribeRequest(
                id: "updates", streams: [number % 2 == 0 ? .all(.chassis) : .one(stream)],
                from: number % 3 == 0 ? .latest : .earliest)
            let session = SubscriptionSession(request, urlCount: urls.count, timing: timing)
            clients.append(SimulatedClient(number: number, session, request, urls: urls))
        }
        queue.add(.wake(number), at: .milliseconds(Int.random(in: 600...1_500, using: &random)))
    }

    /// One of many that begin at the first node.
    func addToCrowd(_ number: Int) {
        let urls = [0] + nodes.indices.dropFirst().shuffled(using: &random)
        var timing = Timing()
        timing.silence = Self.silence
        let stream = StreamID(.chassis, Self.chassis[number % Self.chassis.count])
        let request = SubscribeRequest(
            id: "updates", streams: [.one(stream)], from: number % 3 == 0 ? .latest : .earliest)
        let session = SubscriptionSession(request, urlCount: urls.count, timing: timing)
        clients.append(SimulatedClient(number: number, session, request, urls: urls))
        queue.add(.wake(number), at: .milliseconds(Int.random(in: 600...6_000, using: &random)))
    }

    /// The first wake is the start.
    func wake(_ number: Int) {
        clients[number].scheduledWake = .never
        handle(clients[number].deadline == nil && clients[number].wire == nil ? .start : .wake, at: number)
    }

    func handle(_ event: LinkEvent, at number: Int) {
        if let effects = clients[number].subscriber?.handle(event, at: now, using: &random) {
            carryOut(effects, of: number)
        } else if let effects = clients[number].publisher?.handle(event, at: now, using: &random) {
            carryOut(effects, of: number)
        }
        wakeInTime(number)
    }

    private func carryOut(_ effects: [SubscriptionSession.Effect], of number: Int) {
        for effect in effects {
            switch effect {
            case .link(let effect): carryOut(effect, of: number)
            case .output(.deliver(let update)): delivered(update, to: number)
            case .output(.end(let error)): violate("client \(number) ends: \(error.map { "\($0)" } ?? "")")
            }
        }
    }

    private func carryOut(_ effects: [PublisherSession.Effect], of number: Int) {
        for effect in effects {
            switch effect {
            case .link(let effect): carryOut(effect, of: number)
            case .output(.settled(let through)): note("client \(number): settled through \(through)")
            case .output(.rejected(let record)): violate("client \(number): a record was rejected: \(record)")
            case .output(.end(let error)): violate("client \(number) ends: \(error.map { "\($0)" } ?? "")")
            }
        }
    }

    private func wakeInTime(_ number: Int) {
        guard let deadline = clients[number].deadline, deadline < clients[number].scheduledWake else { return }
        clients[number].scheduledWake = max(now, deadline)
        queue.add(.wake(number), at: max(now, deadline))
    }

    func publishSome(_ number: Int) {
        guard clients[number].remaining > 0 else { return }
        clients[number].remaining -= 1
        let chassis = Self.chassis[Int.random(in: 0..<Self.chassis.count, using: &random)]
        let count = Int.random(in: 1...4, using: &random)
        var records: [String] = []
        var numbers: [UInt64] = []
        for _ in 0..<count {
            lastRecord += 1
            numbers.append(lastRecord)
            oracle.publishers[lastRecord] = number
            let time = Timestamp(microseconds: 1_750_000_000_000_000 + Int64(lastRecord) * 100_000).iso8601
            records.append(
                """
                {"chassis":"\(chassis)","meta_time":"\(time)","track":"barber","lap":\(1 + lastRecord / 40),\
                "lapdist_m":\(lastRecord % 40 * 90),"speed_kmh":\(80 + lastRecord % 90),"accx_can":0.\(lastRecord % 9),\
                "accy_can":-0.\(lastRecord % 7),"Steering_Angle":\(lastRecord % 30),"pbrake_f":0,"rpm":5000,"n":\(lastRecord)}
                """)
        }
        clients[number].published.append(numbers)
        let json = Array("[\(records.joined(separator: ","))]".utf8)
        if let effects = clients[number].publisher?.publish(json, count: count) { carryOut(effects, of: number) }
        wakeInTime(number)
        queue.add(.publish(number), at: now + draw(50...400))
    }

    // MARK: Checks

    private func delivered(_ update: Update, to number: Int) {
        guard let stream = StreamID(update.stream) else { return violate("\(update.stream) is no stream") }
        switch update {
        case .telemetry(let update):
            for point in update.points { check(.point, point.seq, stream, point.record.bytes, number) }
        case .insight(let update): check(.insight, update.seq, stream, update.insight.bytes, number)
        case .alerts(let update): check(.alert, update.seq, stream, nil, number)
        case .resync(let resync):
            note("client \(number): resync \(resync.stream) at \(resync.seq): \(resync.reason)")
            // A node that the log does not answer sends its clients elsewhere.
            if !faults.contains(where: { $0.kind == .truncatedLog }) {
                violate("client \(number): \(stream) resync without a reason: \(resync.reason)")
            }
            clients[number].last[stream] = nil
            clients[number].resynced[stream] = resync.seq
        }
        clients[number].subscriber?.finish(update)
    }

    private func check(
        _ kind: OutputKind, _ seq: UInt64, _ stream: StreamID, _ json: ArraySlice<UInt8>?, _ number: Int
    ) {
        let place = Int(kind.rawValue)
        var last = clients[number].last[stream]?[place]
        let isFromEarliest = clients[number].request?.from == .earliest
        if last == nil, isFromEarliest, clients[number].resynced[stream] == nil { last = 0 }
        if clients[number].last[stream] == nil { clients[number].last[stream] = [nil, nil, nil] }
        clients[number].last[stream]?[place] = seq
        if hasLost.contains(partition(of: stream)) { return }
        if let problem = oracle.confirms(stream, kind, seq, after: last, json) {
            violate("client \(number): \(problem)")
        }
    }
}
