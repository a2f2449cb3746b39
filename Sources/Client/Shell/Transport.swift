/// Connections to nodes: WebSockets, or memory in tests.
package protocol Transport: Sendable {
    /// Begins to connect; the receiver hears how that went. Does not block.
    /// - Returns: `nil` when the address makes no sense: the receiver hears nothing then.
    func connect(
        _ id: ConnectionID, to address: Destination, for receiver: any TransportReceiver
    ) -> (any TransportSocket)?

    /// Ends what is left and the thread behind it.
    func shutdown()
}

/// One connection. From any thread; nothing blocks.
package protocol TransportSocket: AnyObject, Sendable {
    func send(_ text: [UInt8])
    func setReading(_ isReading: Bool)
    func close(code: UInt16, reason: String)
}

/// Who hears of a connection: in order, one call at a time.
package protocol TransportReceiver: AnyObject, Sendable {
    func opened(_ id: ConnectionID)
    /// One text message, valid during the call only.
    func received(_ id: ConnectionID, _ message: UnsafeRawBufferPointer)
    /// The last call, also when no connection came about.
    func lost(_ id: ConnectionID, _ loss: Loss)
}
