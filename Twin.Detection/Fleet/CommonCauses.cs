using System.Numerics;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Detection.Fleet;

/// <summary>
/// Who else is strange in the same way: of the meters behind one concentrator, and of those of one lot, whether the
/// last sixteen that spoke were. A slow concentrator makes all its meters late, and a lot of noisy sensors is noisy
/// whatever it runs: neither is any meter's firmware.
/// </summary>
internal sealed class CommonCauses
{
    /// <summary>Concentrators and lots together; of further ones nothing is known, and nobody is excused by them.
    /// </summary>
    public const int MaxPlaces = 1_024;

    /// <summary>Of the sixteen bits of a place.</summary>
    private const int Most = 8;
    private const byte EncodingVersion = 1;

    private sealed class Place
    {
        public ushort Strange;
        public bool IsStated;
        public ulong Last;
    }

    private readonly SortedDictionary<ulong, Place> _places = [];

    /// <summary>
    /// A meter of a place has spoken. One that speaks twice in a row counts once: it shares its cause with nobody.
    /// </summary>
    public void Note(ulong place, ulong meter, bool strange)
    {
        if (place == 0) return;
        if (!_places.TryGetValue(place, out var kept))
        {
            if (_places.Count == MaxPlaces) return;
            _places[place] = kept = new Place();
        }
        if (kept.Last == meter) return;
        kept.Last = meter;
        kept.Strange = unchecked((ushort)(kept.Strange << 1 | (strange ? 1 : 0)));
    }

    /// <summary>True when half of the last sixteen of the place were strange in that way.</summary>
    public bool IsShared(ulong place) =>
        _places.TryGetValue(place, out var kept) && BitOperations.PopCount(kept.Strange) >= Most;

    /// <summary>True the first time.</summary>
    public bool State(ulong place)
    {
        var kept = _places[place];
        if (kept.IsStated) return false;
        return kept.IsStated = true;
    }

    public static ulong OfPath(string path) => path.Length == 0 ? 0 : StableHash.Of("path|" + path);

    public static ulong OfLot(string lot) => lot.Length == 0 ? 0 : StableHash.Of("lot|" + lot);

    public void Write(ByteWriter to)
    {
        to.Byte(EncodingVersion);
        to.VarUInt((ulong)_places.Count);
        foreach (var (id, place) in _places)
        {
            to.UInt64(id);
            to.UInt64(place.Last);
            to.UInt16(place.Strange);
            to.Bool(place.IsStated);
        }
    }

    /// <exception cref="InvalidDataException">Damaged, or written by a newer version.</exception>
    public static CommonCauses Read(ref ByteReader r)
    {
        Codes.Version(ref r, EncodingVersion, "a table of common causes");
        var causes = new CommonCauses();
        var count = r.Count(MaxPlaces);
        for (var i = 0; i < count; i++)
            causes._places[r.UInt64()] = new Place { Last = r.UInt64(), Strange = r.UInt16(), IsStated = r.Bool() };
        return causes;
    }
}
