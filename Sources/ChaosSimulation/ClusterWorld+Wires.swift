import Client
import Delivery
import Replication
import Sharding
import Simulation
import Telemetry

/// Connections between clients and nodes.
extension ClusterWorld {
    /// Frames under way to one client: as much as the sockets' buffers hold.
    private static let framesMax = 8
    /// After which a client gives up a connection.
    static let silence = Duration.seconds(2)

    func carryOut(_ effect: Link.Effect, of number: Int) {
        switch effect {
        case .connect(let id, .listed(let place)): connect(number, id, to: clients[number].urls[place])
        case .connect(_, .told(let url)): violate("client \(number) connects to \(url), which nobody told")
        case .send(let id, let text):
            guard let wire = clients[number].wire, wires[wire].id == id else { return }
            wires[wire].latest = [:]
            let due = wires[wire].toNode.send(text, at: now + network.delay(using: &random))
            queue.add(.wire(wire, toNode: true), at: due)
        case .disconnect(let id, _, _):
            guard let wire = clients[number].wire, wires[wire].id == id else { return }
            clients[number].wire = nil
            wires[wire].clientIsGone = true
            tellNodeOfLoss(wire)
        case .report(let report):
            note("client \(number): \(report)")
            checkSilence(report, number)
        case .setReading: break
        }
    }

    /// A node that nothing keeps from it says something often enough.
    private func checkSilence(_ report: ConnectionReport, _ number: Int) {
        guard case .disconnected(let reason) = report, reason.hasPrefix("nothing heard"),
            beganFaults.allSatisfy(\.leavesNodesTogether),
            beganFaults.isDisjoint(with: [.clientCut, .slowReader, .starvation])
        else { return }
        violate("client \(number): \(reason)")
    }

    private func connect(_ number: Int, _ id: ConnectionID, to place: Int) {
        let node = nodes[place]
        wires.append(Wire(client: number, id: id, node: node, session: SessionID(UInt64(wires.count + 1))))
        let wire = wires.count - 1
        clients[number].wire = wire
        guard network.connects(Network.client(number), place) else { return }
        let delay = network.delay(using: &random) * 2
        if node.process == nil {
            wires[wire].nodeIsGone = true
            queue.add(.lost(wire, atNode: false), at: now + delay)
        } else {
            queue.add(.opened(wire), at: now + delay)
        }
    }

    func wireOpened(_ number: Int) {
        let wire = wires[number]
        let node = nodes[wire.node]
        guard !wire.clientIsGone, !node.isPaused else { return }
        guard node.life == wire.life, node.process != nil else {
            return queue.add(.lost(number, atNode: false), at: now)
        }
        guard node.process?.isServing == true, node.process?.isDraining == false else {
            wires[number].nodeIsGone = true
            return closed(number, code: CloseCode.notReady, reason: "catching up")
        }
        wires[number].isOpen = true
        wires[number].heard = now
        node.process?.wires[wire.session] = number
        node.process?.hub.open(wire.session, now: timestamp)
        handle(.opened(wire.id), at: wire.client)
    }

    private func closed(_ number: Int, code: UInt16, reason: String) {
        let wire = wires[number]
        guard !wire.clientIsGone, clients[wire.client].wire == number else { return }
        clients[wire.client].wire = nil
        wires[number].clientIsGone = true
        handle(.lost(wire.id, .closed(code: code, reason: reason)), at: wire.client)
    }

    /// What was written before goes out first in truth; a client loses nothing by hearing it sooner.
    func closeFromNode(_ node: SimulatedNode, _ session: SessionID, _ code: UInt16, _ reason: String) {
        guard let wire = node.process?.wires[session] else { return }
        note("n\(node.number) closes client \(wires[wire].client): \(reason)")
        wires[wire].nodeIsGone = true
        forget(session, at: node)
        if network.connects(node.number, Network.client(wires[wire].client)) {
            closed(wire, code: code, reason: reason)
        }
    }

    func forget(_ session: SessionID, at node: SimulatedNode) {
        node.process?.wires[session] = nil
        node.process?.publishers[session] = nil
        node.process?.lanes[session] = nil
        carryOut(node.process?.hub.close(session) ?? [], of: node)
    }

    private func tellNodeOfLoss(_ number: Int) {
        queue.add(.lost(number, atNode: true), at: now + network.delay(using: &random))
    }

    func wireLostAtNode(_ number: Int) {
        let wire = wires[number]
        let node = nodes[wire.node]
        guard node.life == wire.life, node.process?.wires[wire.session] != nil else { return }
        // Half open: the node does not hear of it, and finds out when it writes.
        guard network.connects(wire.node, Network.client(wire.client)), !node.isPaused else {
            return queue.add(.lost(number, atNode: true), at: now + .seconds(1))
        }
        wires[number].nodeIsGone = true
        forget(wire.session, at: node)
    }

    func wireLostAtClient(_ number: Int) {
        let wire = wires[number]
        guard !wire.clientIsGone, clients[wire.client].wire == number else { return }
        guard network.connects(wire.node, Network.client(wire.client)) else { return }
        clients[wire.client].wire = nil
        wires[number].clientIsGone = true
        handle(.lost(wire.id, .broken(reason: "reset")), at: wire.client)
    }

    /// A connection breaks and both ends hear of it.
    func reset(_ number: Int) {
        queue.add(.lost(number, atNode: false), at: now + network.delay(using: &random))
        tellNodeOfLoss(number)
    }

    // MARK: Messages

    func pump(_ node: SimulatedNode, _ session: SessionID) {
        guard let number = node.process?.wires[session] else { return }
        while wires[number].toClient.count < Self.framesMax {
            guard let (frame, effects) = node.process?.hub.nextFrame(for: session, now: timestamp) else { return }
            carryOut(effects, of: node)
            guard let frame else { return }
            if variant == .dropsFrames, wires[number].toClient.count > Self.framesMax / 2 { continue }
            let due = wires[number].toClient.send(Array(frame.payload), at: now + network.delay(using: &random))
            queue.add(.wire(number, toNode: false), at: due)
        }
    }

    func moveToClient(_ number: Int) {
        let wire = wires[number]
        guard !wire.clientIsGone else { return }
        guard network.connects(wire.node, Network.client(wire.client)), clients[wire.client].isReading else {
            queue.add(.wire(number, toNode: false), at: now + .milliseconds(100))
            return
        }
        while !wires[number].clientIsGone, let message = wires[number].toClient.take(until: now) {
            checkPatience(wire)
            do throws(MessageError) {
                let message = try reader.reader.read(message)
                check(message, on: wire)
                handle(.received(wire.id, message), at: wire.client)
            } catch { violate("client \(wire.client): \(error)") }
        }
        let node = nodes[wire.node]
        if node.life == wire.life, !node.isPaused { pump(node, wire.session) }
    }

    /// A client leaves a connection that says nothing.
    private func checkPatience(_ wire: Wire) {
        let silence = now - wire.heard
        wire.heard = now
        guard silence > Self.silence + .milliseconds(100) else { return }
        violate("client \(wire.client) waits \(seconds(silence)) for a node that says nothing")
    }

    /// Whatever a client makes of it: on one connection nothing comes twice unless it asked again.
    private func check(_ message: NodeMessage, on wire: Wire) {
        switch message {
        case .output(let output):
            let latest = wire.latest[output.stream, default: [0, 0, 0]][Int(output.kind.rawValue)]
            if output.seq <= latest {
                violate("client \(wire.client) is sent \(output.stream) \(output.kind) \(output.seq) after \(latest)")
            }
            wire.latest[output.stream, default: [0, 0, 0]][Int(output.kind.rawValue)] = output.seq
        case .resync(let resync): wire.latest[resync.stream] = nil
        case .error(let error):
            note("client \(wire.client): \(error.code) for \(error.source ?? "")/\(error.sourceSeq ?? 0)")
        case .subscribed, .heartbeat, .ack, .pong, .moved, .nodes, .unknown: break
        }
    }

    func moveToNode(_ number: Int) {
        let wire = wires[number]
        let node = nodes[wire.node]
        guard node.life == wire.life, node.process?.wires[wire.session] == number else { return }
        guard network.connects(wire.node, Network.client(wire.client)), !node.isPaused else {
            return queue.add(.wire(number, toNode: true), at: now + .milliseconds(100))
        }
        while node.process?.wires[wire.session] == number, let message = wires[number].toNode.take(until: now) {
            received(message, node, wire.session)
        }
    }

    private func received(_ message: [UInt8], _ node: SimulatedNode, _ session: SessionID) {
        let result = message.withUnsafeBytes { bytes in
            Result { () throws(ClientMessage.Violation) in try ClientMessage(bytes, parser: parser) }
        }
        switch result {
        case .failure(let error): violate("a client said what no client says: \(error)")
        case .success(.ping): carryOut(node.process?.hub.send(ServerMessage.pong, to: session) ?? [], of: node)
        case .success(.subscribe(var request)):
            if variant == .resumesFromLatest, case .positions = request.from { request.from = .latest }
            beginSubscription(node, request, for: session)
        case .success(.unsubscribe(let id)):
            carryOut(node.process?.hub.unsubscribe(id, for: session) ?? [], of: node)
        case .success(.publish(let source, let sequence, let records)):
            publish(node, session, Origin(source: source, sequence: sequence), Array(message[records]))
        }
    }

    // MARK: Publishing

    private func publish(_ node: SimulatedNode, _ session: SessionID, _ origin: Origin, _ records: [UInt8]) {
        guard node.process?.publishers[session, default: .init()].admits(origin.source, origin.sequence) == true else {
            return answer(node, session, origin, "overloaded", 250)
        }
        node.process?.publishers[session]?.took(origin.source, origin.sequence, rejected: [], isOffered: true)
        let start = records.firstRange(of: Array("\"chassis\":\"".utf8))?.upperBound ?? 0
        let key = Array(records[start..<start + 6])
        let record = NewRecord(
            partition: PartitionID(Partitioner.partition(ofKey: key, count: partitions)), key: key, value: records,
            timestamp: wall(node), origin: variant == .forgetsOrigin ? nil : origin)
        let begin = max(now + draw(1...6), (node.process?.appendsUntil ?? .zero) + .microseconds(1))
        node.process?.appendsUntil = begin
        schedule(
            .append(session, origin, record, lane: lane(of: session, at: node)), node, after: begin - now)
    }

    private func lane(of session: SessionID, at node: SimulatedNode) -> Int {
        if let lane = node.process?.lanes[session] { return lane }
        attempts += 1
        node.process?.lanes[session] = attempts
        return attempts
    }

    func append(
        _ node: SimulatedNode, _ session: SessionID, _ origin: Origin, _ record: NewRecord, _ lane: Int
    ) {
        if node.process?.closedLanes.contains(lane) == true, variant != .storesWhatFollows {
            return answerAppend(.appended(session, origin, stored: false, lane: lane), at: node)
        }
        let isCut = !network.connects(node.number, Network.log)
        let fails = isCut || faultyAppends.errors > 0 && Bool.random(using: &random)
        let isAmbiguous = faultyAppends.ambiguous > 0 && Bool.random(using: &random)
        if !fails, !isAmbiguous || Bool.random(using: &random) {
            do throws(LogError) {
                _ = try log.append([record])
                try oracle.follow(log, record.partition.number)
            } catch { violate("\(error)") }
            if let number = oracle.repeated.first { violate("record \(number) counts twice") }
            if let number = oracle.reordered.first { violate("record \(number) comes after later ones") }
            for other in nodes { foldSoon(other, record.partition.number) }
        }
        let isStored = !fails && !isAmbiguous
        if !isStored { node.process?.closedLanes.insert(lane) }
        answerAppend(.appended(session, origin, stored: isStored, lane: lane), at: node)
    }

    /// In the order of the appends.
    private func answerAppend(_ event: NodeEvent, at node: SimulatedNode) {
        let due = max(now + draw(1...5), (node.process?.answersUntil ?? .zero) + .microseconds(1))
        node.process?.answersUntil = due
        schedule(event, node, after: due - now)
    }

    func appended(
        _ node: SimulatedNode, _ session: SessionID, _ origin: Origin, _ stored: Bool, _ lane: Int
    ) {
        guard node.process?.publishers[session] != nil else { return }
        guard stored || variant == .acknowledgesFailures else {
            if variant != .storesWhatFollows {
                guard node.process?.lanes[session] == lane else { return }
                node.process?.lanes[session] = nil
                node.process?.publishers[session]?.turnAway(origin.source, origin.sequence)
            }
            return answer(node, session, origin, "log_failed", 1_000)
        }
        node.process?.publishers[session]?.stored(origin.source, origin.sequence)
        guard let (through, rejected) = node.process?.publishers[session]?.acknowledgement(for: origin.source) else {
            return
        }
        let frame = ServerMessage.ack(source: origin.source, through: through, rejected: rejected)
        carryOut(node.process?.hub.send(frame, to: session) ?? [], of: node)
    }

    private func answer(
        _ node: SimulatedNode, _ session: SessionID, _ origin: Origin, _ code: String, _ milliseconds: Int
    ) {
        let frame = ServerMessage.error(
            code: code, message: code, source: origin.source, sequence: origin.sequence,
            retryAfterMilliseconds: milliseconds)
        carryOut(node.process?.hub.send(frame, to: session) ?? [], of: node)
    }

    func partition(of stream: StreamID) -> Int { Partitioner.partition(ofKey: stream.id, count: partitions) }
}

extension Array where Element == UInt8 {
    fileprivate func firstRange(of pattern: [UInt8]) -> Range<Int>? {
        guard count >= pattern.count else { return nil }
        return (0...count - pattern.count).first { self[$0..<$0 + pattern.count].elementsEqual(pattern) }
            .map { $0..<$0 + pattern.count }
    }
}

/// `MessageReader` cannot be copied, and a class may hold it.
final class ReaderBox {
    let reader = MessageReader()
}
