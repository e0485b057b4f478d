using System.Buffers.Binary;
using System.Security.Cryptography;
using Org.BouncyCastle.Pqc.Crypto.Lms;
using Twin.Hardware.Coding;
using Twin.Hardware.Signatures;

namespace Twin.Hardware.PostQuantum;

/// <summary>
/// Gives the next index of a key that signs once with each. When it returns, the index is used for ever: what remembers
/// it has it where it lasts, over any crash. False when all are used up.
/// </summary>
public delegate bool TakeIndex(out uint index);

/// <summary>
/// A private key of LMS (RFC 8554), one tree with SHA-256 and Winternitz parameter 4, as an HSS key of one level. Two
/// signatures with one index give the key away, so that an index is taken and lasting before anything is computed with
/// it: a crash wastes indices and repeats none.
/// </summary>
public sealed class LmsKey : IMessageSigner
{
    private readonly LMSigParameters _tree;
    private readonly byte[] _id, _seed;
    private readonly TakeIndex _take;
    private readonly Lock _lock = new();
    private LmsPrivateKeyParameters _key;
    private long _last = -1;

    /// <param name="height">5, 10 or 15: 2 to that power signatures. Making the key takes as many steps.</param>
    /// <param name="id">16 bytes: I of RFC 8554.</param>
    /// <param name="seed">32 bytes, from which all of the key follows (RFC 8554, appendix A).</param>
    /// <param name="take">Counts from 0 on. Two keys of one seed need one counter between them.</param>
    public LmsKey(int height, byte[] id, byte[] seed, TakeIndex take)
    {
        _tree = height switch
        {
            5 => LMSigParameters.lms_sha256_n32_h5,
            10 => LMSigParameters.lms_sha256_n32_h10,
            15 => LMSigParameters.lms_sha256_n32_h15,
            _ => throw new ArgumentOutOfRangeException(nameof(height), "A tree has height 5, 10 or 15."),
        };
        if (id.Length != 16 || seed.Length != 32) throw new ArgumentException("An id has 16 bytes, a seed 32.");
        (_id, _seed, _take) = ([.. id], [.. seed], take);
        _key = Lms.GenerateKeys(_tree, LMOtsParameters.sha256_n32_w4, 0, _id, _seed);
        Public = new KnownKey(SignatureAlgorithm.HssLms, Level(1, _key.GetPublicKey().GetEncoded()));
    }

    /// <summary>The key of an emulated office: see <see cref="Crypto.SigningKey"/>.</summary>
    public static LmsKey Emulated(int height, ulong seed, string name, TakeIndex take)
    {
        var (draw, bytes) = (SplitMix64.For(seed, "LMS key " + name), new ByteWriter(48));
        while (bytes.Length < 48) bytes.UInt64(draw.NextUInt64());
        return new LmsKey(height, bytes.Written[..16].ToArray(), bytes.Written[16..].ToArray(), take);
    }

    public KnownKey Public { get; }

    /// <summary>Signatures that the whole tree has.</summary>
    public int Capacity => 1 << _tree.H;

    /// <exception cref="InvalidOperationException">All indices are used, or the counter went back: whoever put an old
    /// state back must take a new key.</exception>
    public byte[] Sign(ReadOnlySpan<byte> message)
    {
        lock (_lock)
        {
            if (!_take(out var index) || index >= Capacity)
                throw new InvalidOperationException($"{Public} has signed {Capacity} times: take a new key.");
            if (index <= _last)
                throw new InvalidOperationException($"The counter of {Public} gave index {index} after {_last}: it was "
                    + "put back. Take a new key; this one must not sign any more.");
            _last = index;
            if (_key.GetIndex() != index)
                _key = Lms.GenerateKeys(_tree, LMOtsParameters.sha256_n32_w4, (int)index, _id, _seed);
            return Level(0, Lms.GenerateSign(_key, message.ToArray()).GetEncoded());
        }
    }

    /// <summary><see cref="CheckSignature"/> of <see cref="SignatureAlgorithm.HssLms"/>.</summary>
    public static bool Check(ReadOnlySpan<byte> key, ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature)
    {
        if (signature.Length > SignatureList.MaxValueBytes || key.Length > SignatureList.MaxKeyBytes) return false;
        try
        {
            var known = HssPublicKeyParameters.GetInstance(key.ToArray());
            var read = HssSignature.GetInstance(signature.ToArray(), known.Level);
            // Bytes beside key or signature would be a second form of the same: there is one.
            return CryptographicOperations.FixedTimeEquals(known.GetEncoded(), key)
                && CryptographicOperations.FixedTimeEquals(read.GetEncoded(), signature)
                && Hss.VerifySignature(known, read, message.ToArray());
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // The library says so of bytes that are no key or no signature, by many kinds of exceptions.
            return false;
        }
    }

    private static byte[] Level(uint number, byte[] rest)
    {
        var bytes = new byte[4 + rest.Length];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, number);
        rest.CopyTo(bytes, 4);
        return bytes;
    }

    public override string ToString() => Public.ToString();
}
