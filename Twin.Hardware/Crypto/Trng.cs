using System.Buffers.Binary;
using System.Numerics;
using System.Security.Cryptography;

namespace Twin.Hardware.Crypto;

/// <summary>State of the generator. Only <see cref="Ready"/> gives numbers.</summary>
public enum TrngState : byte { Off = 0, Ready = 1, Failed = 2 }

/// <summary>
/// The chip's random number generator, a seeded model: noise source, health tests of SP 800-90B, a conditioner. The
/// conditioner is SHA-256 (a vetted one, SP 800-90B, 3.1.5.1.1) over 128 samples, 512 bits of claimed entropy for a
/// state of 256; the output is SHA-256 of state and counter, and the state moves on after every request. It is made
/// after Hash_DRBG (SP 800-90A) and is simpler; it is no validated generator.
/// </summary>
public sealed class Trng
{
    /// <summary>Raw samples behind one seed of the state.</summary>
    private const int SeedSamples = 128;

    /// <summary>Longest request, bytes. A longer one is refused.</summary>
    public const int MaxRequest = 1024;

    private readonly NoiseSource _noise;
    private readonly HealthTests _tests = new();
    private readonly byte[] _state = new byte[32];
    private ulong _counter;

    public Trng(ulong seed, string lot, NoiseCondition condition) => _noise = new NoiseSource(seed, lot, condition);

    public TrngState State { get; private set; }

    /// <summary>The test that failed since power-on. A failed generator stays so until the next one.</summary>
    public HealthFailure Failure => _tests.Failure;

    /// <summary>Requests refused since power-on, for the event log.</summary>
    public int Refused { get; private set; }

    /// <summary>The part ages or is attacked while it runs.</summary>
    public void Become(NoiseFault fault) => _noise.Become(fault);

    /// <summary>Power-on and the startup test. False when it failed.</summary>
    /// <param name="boot">How often the chip has been powered before: sound noise differs each time.</param>
    internal bool PowerOn(uint boot)
    {
        _noise.PowerOn(boot);
        _tests.Reset();
        Array.Clear(_state);
        (_counter, Refused) = (0, 0);
        State = TrngState.Ready;
        for (var i = 0; i < HealthTests.StartupSamples; i++) _tests.Take(_noise.Next());
        if (!Reseed()) State = TrngState.Failed;
        return State == TrngState.Ready;
    }

    internal void PowerOff()
    {
        CryptographicOperations.ZeroMemory(_state);
        State = TrngState.Off;
    }

    /// <summary>
    /// Fills with random bytes; false, and zeros, when the generator is off or a health test has failed: there is no
    /// fallback to worse numbers.
    /// </summary>
    public bool TryFill(Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(destination.Length, MaxRequest);
        destination.Clear();
        if (State != TrngState.Ready || !Reseed())
        {
            if (State == TrngState.Ready) State = TrngState.Failed;
            if (Refused < int.MaxValue) Refused++;
            return false;
        }
        Span<byte> block = stackalloc byte[32];
        for (var done = 0; done < destination.Length; done += 32)
        {
            Step(1, block);
            block[..Math.Min(32, destination.Length - done)].CopyTo(destination[done..]);
        }
        Step(0, _state);
        return true;
    }

    /// <summary>
    /// A private scalar in [1, n−1] by FIPS 186-5, A.2.1: 64 bits more than the order, reduced. False as above.
    /// </summary>
    internal bool TryScalar(NistCurve curve, Span<byte> scalar)
    {
        Span<byte> wide = stackalloc byte[curve.ScalarBytes + 8];
        if (!TryFill(wide)) return false;
        curve.Octets(NistCurve.Integer(wide) % (curve.Order - 1) + BigInteger.One, scalar);
        CryptographicOperations.ZeroMemory(wide);
        return true;
    }

    /// <summary>SHA-256 of mark, counter and state. The counter never repeats between two seeds.</summary>
    private void Step(byte mark, Span<byte> destination)
    {
        Span<byte> message = stackalloc byte[41];
        message[0] = mark;
        BinaryPrimitives.WriteUInt64BigEndian(message[1..], _counter);
        _state.CopyTo(message[9..]);
        SHA256.HashData(message, destination);
        unchecked { _counter++; }
    }

    /// <summary>Mixes fresh samples into the state; every sample passes the continuous tests first.</summary>
    private bool Reseed()
    {
        Span<byte> message = stackalloc byte[32 + SeedSamples];
        _state.CopyTo(message);
        for (var i = 0; i < SeedSamples; i++)
        {
            message[32 + i] = _noise.Next();
            _tests.Take(message[32 + i]);
        }
        if (_tests.Failure != HealthFailure.None) return false;
        SHA256.HashData(message, _state);
        return true;
    }

    public override string ToString() => $"TRNG {State}, {Failure}";
}
