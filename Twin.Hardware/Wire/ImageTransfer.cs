using Twin.Hardware.Coding;

namespace Twin.Hardware.Wire;

/// <summary>image_transfer_status of class 18; the numbers are those of the standard.</summary>
public enum ImageStatus : byte
{
    NotInitiated = 0,
    Initiated = 1,
    VerificationInitiated = 2,
    VerificationSuccessful = 3,
    VerificationFailed = 4,
    ActivationInitiated = 5,
    ActivationSuccessful = 6,
    ActivationFailed = 7,
}

/// <summary>What becomes of a block that came.</summary>
public enum BlockVerdict : byte
{
    /// <summary>Write it to the image at number × block size.</summary>
    Store = 0,
    /// <summary>It came before: the meter confirms it and writes nothing.</summary>
    Repeated = 1,
    /// <summary>No transfer is under way: silently dropped, without an error to the client.</summary>
    Dropped = 2,
    /// <summary>Its number or length does not belong to the image.</summary>
    Refused = 3,
}

/// <summary>
/// The state of an image transfer (class 18, logical name 0.0.44.0.0.255) as a pure state machine: it tells what to do
/// with each call and keeps the bitmap; who holds it stores the blocks, verifies and activates, and reports how that
/// ended. While verification or activation runs, verify and activate answer
/// <see cref="AccessResult.TemporaryFailure"/>.
/// </summary>
public sealed class ImageTransfer
{
    /// <summary>Largest image, bytes: the flash of the larger ZEUS parts. A larger one is not initiated.</summary>
    public const int MaxImageBytes = 1 << 20;

    public const int MinBlockSize = 16, MaxBlockSize = 2048, MaxIdentifierBytes = 64;

    private const byte Version = 1;

    private byte[] _bitmap = [];
    private byte[] _identifier = [];
    private int _received;

    public ImageTransfer(int blockSize)
    {
        if (blockSize is < MinBlockSize or > MaxBlockSize)
            throw new ArgumentOutOfRangeException(nameof(blockSize),
                $"A block has {MinBlockSize} to {MaxBlockSize} bytes, not {blockSize}.");
        BlockSize = blockSize;
    }

    /// <summary>Bytes of every block but the last.</summary>
    public int BlockSize { get; }

    /// <summary>
    /// image_transfer_enabled: when off, initiate, verify and activate are refused and blocks dropped.
    /// </summary>
    public bool IsEnabled { get; set; } = true;

    public ImageStatus Status { get; private set; }

    /// <summary>Bytes of the image under way.</summary>
    public int ImageBytes { get; private set; }

    public ReadOnlySpan<byte> Identifier => _identifier;

    public int BlockCount => (ImageBytes + BlockSize - 1) / BlockSize;

    /// <summary>Blocks that have come.</summary>
    public int Received => _received;

    public bool IsWhole => ImageBytes > 0 && _received == BlockCount;

    /// <summary>transferred_blocks_status: the bit of block 0 in the highest place of the first byte.</summary>
    public ReadOnlySpan<byte> Bitmap => _bitmap;

    /// <summary>image_first_not_transferred_block_number; the number of blocks when all have come.</summary>
    public int FirstNotTransferred
    {
        get
        {
            for (var n = 0; n < BlockCount; n++)
                if (!Has(n)) return n;
            return BlockCount;
        }
    }

    public bool Has(int block) => (_bitmap[block / 8] & 0x80 >> block % 8) != 0;

    /// <summary>Method 1: begins a transfer, from any state but a running verification or activation.</summary>
    public AccessResult Initiate(ReadOnlySpan<byte> identifier, long imageBytes)
    {
        if (!IsEnabled) return AccessResult.ReadWriteDenied;
        if (IsBusy) return AccessResult.TemporaryFailure;
        if (imageBytes is < 1 or > MaxImageBytes || identifier.Length is 0 or > MaxIdentifierBytes)
            return AccessResult.OtherReason;
        (_identifier, ImageBytes, _received) = (identifier.ToArray(), (int)imageBytes, 0);
        _bitmap = new byte[(BlockCount + 7) / 8];
        Status = ImageStatus.Initiated;
        return AccessResult.Success;
    }

    private bool IsBusy => Status is ImageStatus.VerificationInitiated or ImageStatus.ActivationInitiated;

    /// <summary>Method 2: a block came, numbered from 0.</summary>
    public BlockVerdict Block(uint number, int bytes)
    {
        if (!IsEnabled || Status != ImageStatus.Initiated) return BlockVerdict.Dropped;
        if (number >= BlockCount) return BlockVerdict.Refused;
        var n = (int)number;
        if (bytes != Math.Min(BlockSize, ImageBytes - n * BlockSize)) return BlockVerdict.Refused;
        if (Has(n)) return BlockVerdict.Repeated;
        _bitmap[n / 8] |= (byte)(0x80 >> n % 8);
        _received++;
        return BlockVerdict.Store;
    }

    /// <summary>
    /// Method 3: starts the verification, which goes on behind the answer; the client asks again until it is done.
    /// An image that was activated is not verified again.
    /// </summary>
    public AccessResult Verify()
    {
        if (!IsEnabled) return AccessResult.ReadWriteDenied;
        switch (Status)
        {
            case ImageStatus.VerificationInitiated: return AccessResult.TemporaryFailure;
            case ImageStatus.VerificationSuccessful: return AccessResult.Success;
            case ImageStatus.VerificationFailed: return AccessResult.OtherReason;
            case ImageStatus.Initiated when IsWhole:
                Status = ImageStatus.VerificationInitiated;
                return AccessResult.TemporaryFailure;
            default: return AccessResult.OtherReason;
        }
    }

    /// <summary>The verification ended.</summary>
    public void Verified(bool successful) => Status = Status == ImageStatus.VerificationInitiated
        ? successful ? ImageStatus.VerificationSuccessful : ImageStatus.VerificationFailed
        : throw new InvalidOperationException($"No verification runs; the status is {Status}.");

    /// <summary>Method 4: starts the activation of a verified image.</summary>
    public AccessResult Activate()
    {
        if (!IsEnabled) return AccessResult.ReadWriteDenied;
        if (IsBusy) return AccessResult.TemporaryFailure;
        if (Status == ImageStatus.ActivationSuccessful) return AccessResult.Success;
        if (Status != ImageStatus.VerificationSuccessful) return AccessResult.OtherReason;
        Status = ImageStatus.ActivationInitiated;
        return AccessResult.TemporaryFailure;
    }

    /// <summary>The activation ended.</summary>
    public void Activated(bool successful) => Status = Status == ImageStatus.ActivationInitiated
        ? successful ? ImageStatus.ActivationSuccessful : ImageStatus.ActivationFailed
        : throw new InvalidOperationException($"No activation runs; the status is {Status}.");

    /// <summary>image_to_activate_info: an array of size, identifier and signature (the image's digest).</summary>
    public void WriteInfo(ByteWriter to, ReadOnlySpan<byte> signature)
    {
        var w = new CosemWriter(to);
        var known = Status >= ImageStatus.VerificationSuccessful && Status != ImageStatus.VerificationFailed;
        w.Array(known ? 1 : 0);
        if (!known) return;
        w.Structure(3);
        w.DoubleLongUnsigned((uint)ImageBytes);
        w.OctetString(_identifier);
        w.OctetString(signature);
    }

    /// <summary>Writes the state, version 1.</summary>
    public void Write(ByteWriter w)
    {
        w.Byte(Version);
        w.VarUInt((ulong)BlockSize);
        w.Bool(IsEnabled);
        w.Byte((byte)Status);
        w.VarUInt((ulong)ImageBytes);
        w.Blob(_identifier);
        w.Blob(_bitmap);
    }

    /// <summary>Reads the state; damaged bytes give <see cref="InvalidDataException"/>.</summary>
    public static ImageTransfer Read(ref ByteReader r)
    {
        if (r.Byte() is var version && version != Version)
            throw new InvalidDataException($"The state of an image transfer has version {version}; this program reads "
                + $"version {Version}.");
        var blockSize = r.VarUInt();
        if (blockSize is < MinBlockSize or > MaxBlockSize)
            throw new InvalidDataException($"A block size of {blockSize} is not in {MinBlockSize} to {MaxBlockSize}.");
        var image = new ImageTransfer((int)blockSize)
        {
            IsEnabled = r.Bool(),
            Status = (ImageStatus)r.Byte(0, (int)ImageStatus.ActivationFailed),
        };
        var bytes = r.VarUInt();
        if (bytes > MaxImageBytes)
            throw new InvalidDataException($"An image of {bytes} bytes is over {MaxImageBytes}.");
        image.ImageBytes = (int)bytes;
        image._identifier = r.Blob().ToArray();
        image._bitmap = r.Blob().ToArray();
        if (image._identifier.Length > MaxIdentifierBytes || image._bitmap.Length != (image.BlockCount + 7) / 8)
            throw new InvalidDataException("Identifier or bitmap of an image transfer do not fit the image.");
        for (var n = 0; n < image.BlockCount; n++)
            if (image.Has(n)) image._received++;
        return image;
    }
}
