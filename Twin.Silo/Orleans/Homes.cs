using Twin.Grains;
using Twin.Hardware;

namespace Twin.Silo.Orleans;

/// <summary>
/// Which silo is home to a twin within an epoch, by highest random weight (Thaler and Ravishankar 1998): a silo that
/// leaves moves its own twins only.
/// </summary>
internal sealed class Homes(IReadOnlyList<string> silos)
{
    private readonly ulong[] _salts = [.. silos.Select(StableHash.Of)];

    public IReadOnlyList<string> Silos { get; } = silos;

    /// <summary>The place of a twin that lives beside no other; twins beside it share it.</summary>
    public static ulong PlaceOf(TwinKey key) => StableHash.Mix(unchecked(key.Id * 31 + (byte)key.Kind));

    /// <summary>Index of the silo that is home to a place.</summary>
    public int Of(ulong place)
    {
        var best = 0;
        var most = 0ul;
        for (var i = 0; i < _salts.Length; i++)
        {
            var weight = StableHash.Mix(place ^ _salts[i]);
            if (i != 0 && weight <= most) continue;
            (best, most) = (i, weight);
        }
        return best;
    }
}
