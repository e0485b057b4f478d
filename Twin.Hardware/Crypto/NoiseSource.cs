namespace Twin.Hardware.Crypto;

/// <summary>What is wrong with a noise source.</summary>
public enum NoiseFault : byte
{
    None = 0,
    /// <summary>Every sample is the same. The repetition count test finds it.</summary>
    Stuck = 1,
    /// <summary>One value comes far too often. The adaptive proportion test finds it.</summary>
    Biased = 2,
    /// <summary>
    /// A short pattern comes again and again: a coupled oscillator. The proportion test finds periods up to 7 samples.
    /// </summary>
    Repeating = 3,
    /// <summary>
    /// The state is the same after each power-on, as in a snapshot that is put back. No test on one chip can see it.
    /// </summary>
    Restored = 4,
    /// <summary>
    /// All there is to know is a few bits, so that chips of one lot repeat each other: a deterministic generator in
    /// place of noise. The samples look perfect; only a comparison across a fleet sees it.
    /// </summary>
    LowEntropy = 5,
}

/// <summary>
/// A noise source's condition. <paramref name="EntropyBits"/>, 0 to 63, counts for <see cref="NoiseFault.LowEntropy"/>.
/// </summary>
public readonly record struct NoiseCondition(NoiseFault Fault, int EntropyBits = 8)
{
    public static NoiseCondition Sound => new(NoiseFault.None);
}

/// <summary>
/// Raw samples of one byte each, before any conditioning. A model: a seeded generator stands for thermal noise; what
/// it claims is 4 bits of min-entropy a sample, half of a byte, as for a ring-oscillator source after one XOR.
/// </summary>
internal sealed class NoiseSource
{
    /// <summary>Samples after which <see cref="NoiseFault.Repeating"/> begins anew.</summary>
    private const int Period = 4;

    private readonly ulong _seed;
    private SplitMix64 _draw;
    private NoiseCondition _condition;
    private ulong _bytes;
    private int _left;
    private long _samples;

    /// <summary>
    /// The source of one chip. Chips of a low-entropy <paramref name="lot"/> differ in the few bits and in nothing
    /// else.
    /// </summary>
    public NoiseSource(ulong seed, string lot, NoiseCondition condition)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(condition.EntropyBits);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(condition.EntropyBits, 63);
        var own = SplitMix64.For(seed, "noise").NextUInt64();
        _seed = condition.Fault == NoiseFault.LowEntropy
            ? StableHash.Mix(StableHash.Of(lot) ^ (own & ((1UL << condition.EntropyBits) - 1))) : own;
        _condition = condition;
        _draw = new SplitMix64(_seed);
    }

    /// <summary>The part ages or is attacked: from now on it is in another condition.</summary>
    public void Become(NoiseFault fault) => _condition = _condition with { Fault = fault };

    /// <summary>A power-on: sound noise is never the same twice, a restored or low-entropy state is.</summary>
    public void PowerOn(uint boot)
    {
        var same = _condition.Fault is NoiseFault.Restored or NoiseFault.LowEntropy;
        _draw = new SplitMix64(same ? _seed : StableHash.Mix(unchecked(_seed + boot)));
        (_bytes, _left, _samples) = (0, 0, 0);
    }

    public byte Next()
    {
        if (_left == 0) (_bytes, _left) = (_draw.NextUInt64(), 8);
        var sample = unchecked((byte)_bytes);
        _bytes >>= 8;
        _left--;
        _samples++;
        return _condition.Fault switch
        {
            NoiseFault.Stuck => 0xFF,
            NoiseFault.Biased => sample < 0x60 ? (byte)0x55 : sample,
            NoiseFault.Repeating => (byte)(0x1D * (1 + _samples % Period)),
            _ => sample,
        };
    }
}
