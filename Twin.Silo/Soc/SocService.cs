using Twin.Grains.Ledger;

namespace Twin.Silo.Soc;

/// <summary>The dispatchers of all configured sinks, each running for itself.</summary>
internal sealed class SocService : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly List<(SocDispatcher Dispatcher, ISocSink Sink, Task Running)> _all = [];

    private SocService() { }

    public IReadOnlyList<SinkStatus> Status() => [.. _all.Select(a => a.Dispatcher.Status())];

    /// <param name="file">The settings of sinks.</param>
    /// <exception cref="SettingException">The settings are wrong.</exception>
    public static SocService Start(string file, ILedgerSource ledger, TimeProvider clock, Action<string> message)
    {
        var service = new SocService();
        var seed = unchecked((ulong)clock.GetTimestamp());
        foreach (var setting in SinkSettings.Read(file))
        {
            // A sink cuts its file behind the last whole line: one that is somebody else's must not be taken for it.
            if (setting.Path is { } path && File.Exists(System.IO.Path.Combine(
                System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path)) ?? "/", "format")))
                throw new SettingException($"Sink {setting.Name} would write into a data directory ({path}). Give a "
                    + "file elsewhere.");
            var sink = SinkSettings.Make(setting, clock);
            var dispatcher = new SocDispatcher(setting.Name, sink, ledger, clock, seed++)
            {
                Changed = s =>
                {
                    if (s.Failures == 1) message($"sink {s.Name}: {s.LastError} Entries wait in the ledger.");
                    if (s.Failures == 0) message($"sink {s.Name}: delivers again, {s.Lag} entries behind.");
                },
            };
            service._all.Add((dispatcher, sink, Task.Run(() => dispatcher.Run(service._stop.Token))));
        }
        return service;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        foreach (var (_, sink, running) in _all)
        {
            await running;
            await sink.DisposeAsync();
        }
        _stop.Dispose();
    }
}
