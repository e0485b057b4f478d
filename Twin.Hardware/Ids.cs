using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Twin.Hardware;

/// <summary>
/// Identity of a meter: its 8-byte DLMS system title, big-endian. A utility's own id is mapped to the first 8 bytes of
/// its SHA-256 with the top bit set; real system titles begin with an ASCII letter, so the two ranges never meet.
/// </summary>
public readonly record struct MeterId(ulong Value) : IComparable<MeterId>
{
    private const ulong MappedBit = 1UL << 63;

    /// <summary>Maps a utility's own id (any non-empty text; surrounding blanks are not part of it).</summary>
    public static MeterId FromUtilityId(string utilityId)
    {
        var name = utilityId.Trim();
        if (name.Length == 0) throw new FormatException("A meter id is empty. Give the utility's own id of the meter.");
        return new MeterId(StableHash.Of(name) | MappedBit);
    }

    /// <summary>The meter id of a system title of exactly 8 bytes.</summary>
    public static MeterId FromSystemTitle(ReadOnlySpan<byte> systemTitle) => systemTitle.Length == 8
        ? new MeterId(BinaryPrimitives.ReadUInt64BigEndian(systemTitle))
        : throw new FormatException($"A system title has 8 bytes, this one {systemTitle.Length}.");

    /// <summary>True when the id was mapped from a utility's own id.</summary>
    public bool IsMapped => (Value & MappedBit) != 0;

    /// <summary>The key of this meter's twin.</summary>
    public TwinKey Twin => new(TwinKind.Meter, Value);

    public int CompareTo(MeterId other) => Value.CompareTo(other.Value);

    /// <summary>16 hexadecimal digits.</summary>
    public override string ToString() => Value.ToString("x16", CultureInfo.InvariantCulture);

    /// <summary>
    /// Reads 16 hexadecimal digits; anything else is taken as a utility's own id, and so is 0, which addresses all
    /// meters.
    /// </summary>
    public static MeterId ParseOrMap(string text) =>
        text.Length == 16
            && ulong.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var v)
            && v != TwinKey.Everyone
            ? new MeterId(v) : FromUtilityId(text);
}

/// <summary>The kinds of twin. The number is part of the stored encoding.</summary>
public enum TwinKind : byte
{
    Meter = 1, Feeder = 2, Concentrator = 3, Cohort = 4, Fleet = 5,

    // What answers findings: a case under its subject and desk, the queue of a desk, budgets, the policy in force.
    Case = 6, Desk = 7, Guard = 8, Policy = 9,

    /// <summary>Who may do what.</summary>
    Access = 10,

    /// <summary>Models that learnt from the fleet's history, and their stages.</summary>
    Models = 11,
}

/// <summary>The address of a twin. Id <see cref="Everyone"/> addresses all twins of the kind.</summary>
public readonly record struct TwinKey(TwinKind Kind, ulong Id) : IComparable<TwinKey>
{
    public const ulong Everyone = 0;

    public static TwinKey All(TwinKind kind) => new(kind, Everyone);

    /// <summary>The key of a named thing that is no meter: a feeder, a cohort.</summary>
    public static TwinKey Named(TwinKind kind, string name) => new(kind, StableHash.Of(name) | 1);

    public int CompareTo(TwinKey other) => Kind != other.Kind ? Kind.CompareTo(other.Kind) : Id.CompareTo(other.Id);

    public override string ToString() => $"{Kind.ToString().ToLowerInvariant()}:{Id:x16}";
}

/// <summary>Hashes that are the same on every machine and in every process, unlike <c>GetHashCode</c>.</summary>
public static class StableHash
{
    /// <summary>First 8 bytes (big-endian) of the SHA-256 of the UTF-8 text.</summary>
    public static ulong Of(string text)
    {
        Span<byte> digest = stackalloc byte[32];
        SHA256.HashData(Encoding.UTF8.GetBytes(text), digest);
        return BinaryPrimitives.ReadUInt64BigEndian(digest);
    }

    /// <summary>Spreads the bits of an id (the finaliser of SplitMix64): used to place twins on shards.</summary>
    public static ulong Mix(ulong x)
    {
        unchecked
        {
            x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9UL;
            x = (x ^ (x >> 27)) * 0x94D049BB133111EBUL;
            return x ^ (x >> 31);
        }
    }
}

/// <summary>
/// SplitMix64 (Steele, Lea, Flood 2014), the seeded generator of everything drawn in this project: one seed, one run.
/// </summary>
public sealed class SplitMix64(ulong seed)
{
    private ulong _state = seed;

    public ulong NextUInt64()
    {
        unchecked
        {
            _state += 0x9E3779B97F4A7C15UL;
            return StableHash.Mix(_state);
        }
    }

    /// <summary>Uniform in [0, 1).</summary>
    public double NextDouble() => (NextUInt64() >> 11) * (1.0 / (1UL << 53));

    /// <summary>Uniform in [min, max).</summary>
    public double NextDouble(double min, double max) => min + (max - min) * NextDouble();

    /// <summary>Uniform in [0, bound), bound ≥ 1.</summary>
    public int Next(int bound)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bound, 1);
        return (int)(NextUInt64() % (ulong)bound);
    }

    /// <summary>
    /// Standard normal, by summing twelve uniforms (Irwin–Hall): no library function whose last bit may differ.
    /// </summary>
    public double NextNormal()
    {
        var sum = -6.0;
        for (var i = 0; i < 12; i++) sum += NextDouble();
        return sum;
    }

    /// <summary>A generator of its own for a named part, independent of how much others draw.</summary>
    public static SplitMix64 For(ulong seed, string part) => new(StableHash.Mix(seed ^ StableHash.Of(part)));
}
