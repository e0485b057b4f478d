using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Twin.Hardware.Emulator.Zeus;

/// <summary>
/// The symmetric keys of one emulated meter as the key server made them: the factory loads them into the vault, the
/// head-end works with them. Derived from a seed by HMAC-SHA-256, for emulated worlds only. Its text shows no key.
/// </summary>
public sealed class MeterKeys
{
    private MeterKeys(byte[] secret, ulong title, int bytes)
    {
        byte[] Derive(string name)
        {
            byte[] message = [.. Encoding.ASCII.GetBytes(name), .. Title(title)];
            return HMACSHA256.HashData(secret, message);
        }

        Unicast = Derive("guek")[..bytes];
        Broadcast = Derive("gbek")[..bytes];
        Authentication = Derive("gak")[..bytes];
        Master = Derive("kek")[..bytes];
        Optical = Derive("optical")[..16];
        Metrology = Derive("metrology")[..16];
        Password = Derive("password")[..8];
    }

    public byte[] Unicast { get; }
    public byte[] Broadcast { get; }
    public byte[] Authentication { get; }
    public byte[] Master { get; }

    /// <summary>Key of the high-level security association at the optical port.</summary>
    public byte[] Optical { get; }

    /// <summary>The metrology core's: whoever holds it can check the seals of periods.</summary>
    public byte[] Metrology { get; }

    /// <summary>Password of the low-level association.</summary>
    public byte[] Password { get; }

    /// <summary>Keys of 16 bytes for suites 0 and 1, of 32 for suite 2.</summary>
    public static MeterKeys For(ulong seed, ulong systemTitle, int suite)
    {
        var secret = new byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(secret, seed);
        return new MeterKeys(secret, systemTitle, suite == 2 ? 32 : 16);
    }

    internal static byte[] Title(ulong systemTitle)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, systemTitle);
        return bytes;
    }

    internal void LoadInto(KeyVault vault, KeyVault metrology)
    {
        vault.Load(KeySlot.EncryptionUnicast, Unicast);
        vault.Load(KeySlot.EncryptionBroadcast, Broadcast);
        vault.Load(KeySlot.Authentication, Authentication);
        vault.Load(KeySlot.Master, Master);
        vault.Load(KeySlot.OpticalPort, Optical);
        vault.Load(KeySlot.LlsPassword, Password);
        metrology.Load(MetrologyCore.SealKey, Metrology);
    }

    public override string ToString() => "keys of a meter";
}
