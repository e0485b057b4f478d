using Twin.Grains.Cases;
using Twin.Hardware;

namespace Twin.Silo.Gateways;

/// <summary>
/// Carries orders of the ledger out of the house, and brings back what became of them. An order may come more than
/// once: what has its key is done once.
/// </summary>
public interface IResponseGateway
{
    /// <summary>How outcomes name it.</summary>
    string Name { get; }

    /// <summary>
    /// Gives an order, or the taking back of one (<see cref="ResponseRecord.IsUndo"/>); what is known of it at once.
    /// </summary>
    /// <exception cref="GatewayUnavailableException">Nothing can be given now; give it again later.</exception>
    ValueTask<ResponseOutcome> Give(ResponseRecord order, CancellationToken cancel);

    /// <summary>Takes what became of orders since last asked, in order; may hold duplicates and strangers.</summary>
    ValueTask<IReadOnlyList<ResponseOutcome>> Take(CancellationToken cancel);
}

/// <summary>The far end takes no order now. The message says which and why.</summary>
public sealed class GatewayUnavailableException(string message, Exception? inner) : Exception(message, inner);
