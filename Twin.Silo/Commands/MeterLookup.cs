using Twin.Grains;
using Twin.Hardware;

namespace Twin.Silo.Commands;

/// <summary>
/// The meter that a person means: by the utility's id, by its system title in 16 hexadecimal digits, or by the name
/// under which its cases and findings are shown.
/// </summary>
internal static class MeterLookup
{
    private const int Page = 10_000;

    /// <exception cref="ArgumentException">There is no such meter, or two have that name.</exception>
    public static async Task<MeterId> Find(IFleet fleet, string text, CancellationToken cancel)
    {
        if (text.Length == 0) throw new ArgumentException("A meter's id is empty.");
        var id = MeterId.ParseOrMap(text);
        if (await fleet.State(id.Twin, null, cancel) is not null) return id;
        MeterId? found = null;
        IReadOnlyList<TwinKey> keys;
        for (var after = 0UL; (keys = await fleet.Keys(TwinKind.Meter, after, Page, cancel)).Count > 0;
            after = keys[^1].Id)
        {
            foreach (var key in keys)
            {
                if (await fleet.State(key, null, cancel) is not { } state || MeterView.From(key, state).Name != text)
                    continue;
                if (found is { } first)
                    throw new ArgumentException($"Two meters have the name {text}: {first} and {new MeterId(key.Id)}. "
                        + "Give the 16 digits of one.");
                found = new MeterId(key.Id);
            }
        }
        return found ?? throw new ArgumentException($"No meter {text}: the ids are those of the replayed files "
            + "or of the fleet file, the names those that cases and findings show.");
    }
}
