using Twin.Grains;

namespace Twin.Silo.Gateways;

/// <summary>
/// Gives orders to the gateway as they enter the ledger, until it is stopped. Trouble is said once, and once that it
/// is over; orders wait in the ledger meanwhile.
/// </summary>
internal sealed class OrderService : IAsyncDisposable
{
    /// <summary>How often the ledger is looked at, and how long after trouble.</summary>
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1), AfterTrouble = TimeSpan.FromSeconds(10);

    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;
    private string? _trouble;

    public OrderService(OrderDispatcher dispatcher, TimeProvider clock, Action<string> message) =>
        _running = Task.Run(() => Run(dispatcher, clock, message));

    private async Task Run(OrderDispatcher dispatcher, TimeProvider clock, Action<string> message)
    {
        try
        {
            while (true)
            {
                var trouble = await Step(dispatcher);
                if (trouble is not null && _trouble is null) message($"{trouble} Orders wait in the ledger.");
                if (trouble is null && _trouble is not null) message("The head-end takes orders again.");
                _trouble = trouble;
                await Task.Delay(trouble is null ? Look : AfterTrouble, clock, _stop.Token);
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // The host stops. What was given and is not noted yet goes out again under the same key.
        }
    }

    private async Task<string?> Step(OrderDispatcher dispatcher)
    {
        try
        {
            await dispatcher.Step(_stop.Token);
            return dispatcher.Trouble;
        }
        catch (Exception e) when (e is StorageUnavailableException or IOException or InvalidDataException)
        {
            return e.Message;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _stop.Dispose();
    }
}
