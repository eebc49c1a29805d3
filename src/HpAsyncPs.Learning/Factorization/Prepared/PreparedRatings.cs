using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.IO.Hashing;
using System.Threading;
using HpAsyncPs.Learning.Data;
using HpAsyncPs.Learning.Data.Prepared;

namespace HpAsyncPs.Learning.Factorization.Prepared;

/// <summary>
/// A file that hpaps prepare mf has written: users with their ratings, in blocks of about as many ratings, and what all workers need of the items. A part is a range of the blocks.
/// </summary>
public sealed class PreparedRatings
{
    private readonly string _path;
    private readonly RatingsHead _head;
    private readonly int[] _itemCounts;
    private readonly byte[] _table;

    private PreparedRatings(string path, RatingsHead head, byte[] common)
    {
        (_path, _head) = (path, head);
        ReadOnlySpan<byte> rest = common;
        ReadOnlySpan<int> ends = PreparedBytes.Take<int>(ref rest, head.Items);
        _itemCounts = PreparedBytes.Take<int>(ref rest, head.Items).ToArray();
        int begin = 0;
        for (int item = 0; item < ends.Length; item++)
        {
            if (ends[item] < begin || ends[item] > head.IdBytes || _itemCounts[item] < 0 || Items.Add(rest[begin..ends[item]]) != item)
                throw PreparedHead.Damaged(path, $"is damaged: item {item} has no id of its own, or fewer ratings than none");
            begin = ends[item];
        }

        _table = rest[head.IdBytes..].ToArray();
    }

    /// <summary>All items.</summary>
    public IdTable Items { get; } = new();

    /// <summary>How many users there are.</summary>
    public int Users => _head.Users;

    /// <summary>How many ratings there are, those that are held out included.</summary>
    public long Ratings => _head.Ratings;

    /// <summary>What identifies ratings, numbers and order.</summary>
    public string Fingerprint => _head.CommonChecksum.ToString("x16", CultureInfo.InvariantCulture);

    /// <summary>Reads what all workers need, if it is such a file; else null.</summary>
    /// <param name="path">Any file.</param>
    /// <exception cref="InputException">It is of another version, or damaged.</exception>
    public static PreparedRatings? TryOpen(string path)
    {
        // What is no file, as a pipe, must not be opened twice; who reads it next says what is wrong with it.
        if (!File.Exists(path) || !RowFolder.IsRegular(path) || RowFolder.LengthOf(path) <= RatingsHead.Magic.Length)
            return null;
        PreparedRatings? of = null;
        TextFile.Open(path, file =>
        {
            Span<byte> first = stackalloc byte[RatingsHead.Bytes];
            first = first[..PreparedBytes.Fill(file.SafeFileHandle, first, 0)];
            if (!first.StartsWith(RatingsHead.Magic))
                return;
            RatingsHead head = RatingsHead.Read(first, file.Length, path);
            byte[] common = new byte[head.CommonBytes];
            if (PreparedBytes.Fill(file.SafeFileHandle, common, RatingsHead.Bytes) < common.Length || XxHash3.HashToUInt64(common) != head.CommonChecksum)
                throw PreparedHead.Damaged(path, "is damaged: the checksum of its tables is wrong");
            of = new PreparedRatings(path, head, common);
        });
        return of;
    }

    /// <summary>What is held out is in the file already: makes sure that nobody asks for something else.</summary>
    /// <param name="hasTest">There is a file to measure on.</param>
    /// <param name="holdout">Share that is asked for.</param>
    /// <param name="seed">Seed of training.</param>
    /// <exception cref="InputException">Somebody does.</exception>
    public void Check(bool hasTest, double holdout, ulong seed)
    {
        if (hasTest)
            throw new InputException($"{_path}: is prepared, and has no users but its own: leave --test out, and prepare it with --holdout");
        if (holdout != _head.Holdout || (holdout > 0 && seed != _head.Seed))
        {
            string was = string.Create(CultureInfo.InvariantCulture, $"{(_head.Holdout > 0 ? $"--holdout {_head.Holdout:R} --seed {_head.Seed}" : "no --holdout")}");
            throw new InputException($"{_path}: was prepared with {was}, which decides what is held out; give the same here, or prepare it anew");
        }
    }

    /// <summary>Reads the users of a part.</summary>
    /// <param name="part">Which; its seed has no say.</param>
    /// <param name="cancellation">Looked at once per block.</param>
    /// <exception cref="InputException">The file is damaged, or has fewer blocks than there are parts.</exception>
    public FactorData Part(RowPart part, CancellationToken cancellation)
    {
        if (part.Count > _head.Blocks)
            throw new InputException($"{_path}: has {_head.Blocks} blocks of users, too few for {part.Count} workers; use at most {_head.Blocks} workers, or prepare it with more --blocks, which is at most one a user");
        (long first, long last) = part.RangeOf(_head.Blocks);
        var merged = new MergedRatings(_head, _itemCounts);
        TextFile.Open(_path, file =>
        {
            long offset = RatingsHead.Bytes + _head.CommonBytes, users = 0;
            for (int index = 0; index < _head.Blocks; index++)
            {
                ReadOnlySpan<byte> entry = _table.AsSpan(index * RatingsHead.TableEntryBytes, RatingsHead.TableEntryBytes);
                ReadOnlySpan<byte> rest = entry;
                ReadOnlySpan<int> of = PreparedBytes.Take<int>(ref rest, 4);
                long bytes = of.ContainsAnyInRange(int.MinValue, -1) ? -1 : RatingsBlock.BytesOf(of[0], of[1], of[2], of[3]);
                if (bytes < 1 || bytes > Math.Min(Array.MaxLength, _head.Length - offset))
                    throw PreparedHead.Damaged(_path, $"is damaged: block {index} cannot be where its table has it");
                if (index >= first && index < last)
                {
                    cancellation.ThrowIfCancellationRequested();
                    byte[] block = new byte[bytes];
                    string? wrong = PreparedBytes.Fill(file.SafeFileHandle, block, offset) < bytes ? "the file ends before it"
                        : XxHash3.HashToUInt64(block) != BinaryPrimitives.ReadUInt64LittleEndian(entry[16..]) ? "its checksum is wrong"
                        : merged.Add(RatingsBlock.Read(block, of[0], of[1], of[2]));
                    if (wrong is not null)
                        throw PreparedHead.Damaged(_path, $"block {index}, at byte {offset}, is damaged: {wrong}");
                }

                (offset, users) = (offset + bytes, users + of[0]);
            }

            if (offset != _head.Length || users != _head.Users)
                throw PreparedHead.Damaged(_path, "is damaged: its blocks are not what its head says");
        });
        return merged.Finish(_path, part);
    }
}
