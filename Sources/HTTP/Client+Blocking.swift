public import Net

extension Client {
    /// Sends one request and waits for its answer, on the calling thread and a loop of its own:
    /// for the command line, which has nothing else to do.
    public static func perform(
        _ request: ClientRequest, tls: TLSContext? = nil,
        resolver: any NameResolver = Resolver(threadsMax: 1),
        addressCheck: @escaping (UInt128, UInt16) -> String? = { _, _ in nil }
    ) -> Result<ClientResponse, ClientError> {
        let loop: EventLoop
        do {
            loop = try EventLoop(name: "clickrelay")
        } catch {
            return .failure(.connect(error.description, code: error.code))
        }
        let client = Client(loop: loop, resolver: resolver, tls: tls)
        var outcome = Result<ClientResponse, ClientError>.failure(.cancelled)
        client.send(request, addressCheck: addressCheck) { result in
            outcome = result
            loop.stop()
        }
        loop.run()
        client.close()
        return outcome
    }
}
